/// How to reach one database, and the limits that every session gets.
public struct PostgresConfiguration: Sendable, Hashable {
    /// Where the server is.
    public enum Endpoint: Sendable, Hashable {
        /// A host name or address.
        case host(String, port: Int)
        /// A directory with the server's Unix socket.
        case socketDirectory(String, port: Int)
        /// A `postgresql://` URI or a libpq `key=value` string. It may hold a password, hence a `Secret`.
        case connectionString(Secret)
    }

    /// Limits the server applies to a session. Nil leaves the server's default, zero means no limit.
    public struct SessionSettings: Sendable, Hashable {
        /// Longest run of one statement.
        public var statementTimeout: Duration?
        /// Longest idle time inside a transaction; the server then ends the session.
        public var idleInTransactionTimeout: Duration?
        /// Longest wait for one lock.
        public var lockTimeout: Duration?
        /// Further settings by name, such as `plan_cache_mode`.
        public var parameters: [String: String]

        public init(
            statementTimeout: Duration? = nil,
            idleInTransactionTimeout: Duration? = nil,
            lockTimeout: Duration? = nil,
            parameters: [String: String] = [:]
        ) {
            self.statementTimeout = statementTimeout
            self.idleInTransactionTimeout = idleInTransactionTimeout
            self.lockTimeout = lockTimeout
            self.parameters = parameters
        }
    }

    public var endpoint: Endpoint
    /// Nil leaves it to the connection string, then to libpq's defaults.
    public var database: String?
    public var user: String?
    public var password: Secret?
    /// Shown in `pg_stat_activity`.
    public var applicationName: String?
    /// From the start of a connection attempt until the session is ready.
    public var connectTimeout: Duration
    /// After a cancelled task asked the server to stop: how long the connection may take to be clean
    /// again before it is given up as broken.
    public var cancelTimeout: Duration
    public var session: SessionSettings

    public init(
        endpoint: Endpoint,
        database: String? = nil,
        user: String? = nil,
        password: Secret? = nil,
        applicationName: String? = nil,
        connectTimeout: Duration = .seconds(10),
        cancelTimeout: Duration = .seconds(10),
        session: SessionSettings = SessionSettings()
    ) {
        self.endpoint = endpoint
        self.database = database
        self.user = user
        self.password = password
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.cancelTimeout = cancelTimeout
        self.session = session
    }
}

extension PostgresConfiguration {
    /// Keywords and values for libpq, in an order where later ones win.
    var connectionParameters: [(keyword: String, value: String)] {
        var parameters: [(keyword: String, value: String)] = []
        switch endpoint {
        case .host(let host, let port), .socketDirectory(let host, let port):
            parameters.append(("host", host))
            parameters.append(("port", String(port)))
        case .connectionString(let string):
            parameters.append(("dbname", string.reveal()))
        }
        if let database { parameters.append(("dbname", database)) }
        if let user { parameters.append(("user", user)) }
        if let password { parameters.append(("password", password.reveal())) }
        if let applicationName { parameters.append(("application_name", applicationName)) }
        parameters.append(("client_encoding", "UTF8"))
        return parameters
    }

    /// The statement that applies the session settings, or nil if there are none. They are set after
    /// connecting because connection poolers refuse the `options` start-up parameter.
    var sessionSetup: String? {
        let settings = [
            ("statement_timeout", session.statementTimeout),
            ("idle_in_transaction_session_timeout", session.idleInTransactionTimeout),
            ("lock_timeout", session.lockTimeout),
        ]
        var statements = settings.compactMap { name, limit in
            limit.map { "SET \(name) = \($0.wholeMilliseconds)" }
        }
        statements += session.parameters.sorted { $0.key < $1.key }.map { name, value in
            "SET \(name) = '\(value.replacing("'", with: "''"))'"
        }
        return statements.isEmpty ? nil : statements.joined(separator: ";")
    }
}

extension Duration {
    /// Milliseconds, at least 1 for anything above zero, because zero means "no limit" to the server.
    var wholeMilliseconds: Int64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let longest = Int64(Int32.max)
        guard seconds < longest / 1000 else { return longest }
        return max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
