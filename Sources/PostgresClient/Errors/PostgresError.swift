/// What went wrong, in the one error type of this module.
///
/// It never holds parameter values or passwords. The server's `message`, `detail` and `hint` may quote
/// values of the data; `description` shows the message only.
public struct PostgresError: Error, Sendable {
    /// The closed list of what can go wrong.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The server could not be reached or refused the session.
        case connectionFailed = "connection.failed"
        /// No session within `connectTimeout`.
        case connectTimeout = "connection.timeout"
        /// An established connection broke; a running statement may or may not have taken effect.
        case connectionLost = "connection.lost"
        /// The connection was closed by this side.
        case connectionClosed = "connection.closed"
        /// A row stream or COPY of the same connection is open.
        case connectionBusy = "connection.busy"
        /// The server answered with an error; `sqlState` says which.
        case server = "server.error"
        /// libpq and this module disagree on the state of the protocol.
        case protocolViolation = "protocol.violation"
        /// A parameter cannot be sent.
        case encoding = "value.encoding"
        /// A column cannot be read as the wanted type.
        case decoding = "value.decoding"
        /// One prepared statement name with another text or other parameter types.
        case statementMismatch = "statement.mismatch"
        /// More than a named limit allows.
        case limitExceeded = "limit.exceeded"
        /// The wait queue of the pool is full.
        case poolExhausted = "pool.exhausted"
        /// No connection came free in time; `cause` is the last failure to connect, if there was one.
        case poolTimeout = "pool.timeout"
        /// The pool is closed or closing.
        case poolClosed = "pool.closed"
        /// The connection broke while COMMIT ran: the transaction may or may not be there.
        case commitOutcomeUnknown = "transaction.outcomeUnknown"
        /// COMMIT rolled back because an earlier statement of the transaction had failed.
        case transactionAborted = "transaction.aborted"
        /// A statement of a pipeline that did not run because one before it failed.
        case pipelineAborted = "pipeline.aborted"
        /// An applied migration differs from the file of that number.
        case migrationChanged = "migration.changed"
        /// A number is missing, among the files or among the applied migrations.
        case migrationGap = "migration.gap"
        /// A migration file cannot be read or named, or ends its own transaction.
        case migrationInvalid = "migration.invalid"
        /// No PostgreSQL binaries were found.
        case clusterBinariesNotFound = "cluster.binariesNotFound"
        /// The data or socket directory cannot be used.
        case clusterDirectory = "cluster.directory"
        /// A command of the cluster failed; the message ends with its output.
        case clusterCommandFailed = "cluster.commandFailed"
        /// The server was not ready in time.
        case clusterNotReady = "cluster.notReady"
    }

    public var code: Code
    /// The server's SQLSTATE of five characters.
    public var sqlState: String?
    public var message: String
    public var detail: String?
    public var hint: String?
    /// The names of the objects concerned, as far as the server says.
    public var constraint: String?
    public var table: String?
    public var column: String?
    /// The name of the prepared statement that failed.
    public var statement: String?
    public var cause: (any Error)?

    public init(
        _ code: Code,
        _ message: String,
        sqlState: String? = nil,
        statement: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.statement = statement
        self.cause = cause
    }
}

extension PostgresError: CustomStringConvertible {
    /// Code, SQLSTATE, message and statement name; neither the cause nor any value of a parameter.
    public var description: String {
        var text = code.rawValue
        if let sqlState { text += " [\(sqlState)]" }
        text += ": \(message)"
        if let statement { text += " (statement \(statement))" }
        return text
    }
}
