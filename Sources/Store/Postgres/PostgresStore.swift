internal import Fleet
internal import FoundationEssentials
public import Logging
public import PostgresClient

/// The store on PostgreSQL. Each mutation is one statement that calls a function of the schema, so it is one
/// transaction and one round trip; the functions are versioned by suffix and outlive the binaries that call
/// them.
///
/// `run()` must be running.
public final class PostgresStore: Store {
    /// Pauses a commit that passed its lease check before its COMMIT; fault tests hold controllers there.
    public typealias CommitHold = @Sendable (_ cell: String) async -> Void

    /// Shortest time between two notifications of one process: bursts of commits cost one wake-up.
    static let notifyInterval = Duration.milliseconds(10)
    static let channel = "basalt_change"

    public let pool: PostgresPool
    let logger: Logger
    let signal = ChangeSignal()
    private let commitHold: CommitHold?
    private let listener: PostgresListener
    /// Tells this process's notifications from those of others.
    private let origin: String

    /// - Parameters:
    ///   - pool: connections whose session settings come from `PostgresStore.sessionSettings`.
    ///   - origin: unique among the processes that share the database.
    public init(
        pool: PostgresPool, origin: String, logger: Logger, jitter: JitterSource,
        commitHold: CommitHold? = nil
    ) {
        self.pool = pool
        self.origin = origin
        self.logger = logger
        self.commitHold = commitHold
        listener = PostgresListener(
            configuration: pool.configuration, channels: [Self.channel], jitter: jitter, logger: logger)
    }

    /// Limits of every session. A controller that is stopped inside a transaction is thrown out long before
    /// its lease could be taken over; plans are generic because the sizes of array parameters vary by call.
    /// Rows are read by key or by page in the order of an index; without statistics a planner that may gather
    /// a bitmap reads and sorts all documents of a kind for each page.
    public static func sessionSettings(
        idleInTransaction: Duration = .seconds(8), clockOffset: Duration = .zero
    ) -> PostgresConfiguration.SessionSettings {
        var parameters = [
            "plan_cache_mode": "force_generic_plan", "client_min_messages": "warning", "jit": "off",
            "enable_bitmapscan": "off",
        ]
        if clockOffset != .zero { parameters["basalt.clock_offset"] = "\(clockOffset.inSeconds) seconds" }
        return .init(
            statementTimeout: .seconds(10), idleInTransactionTimeout: idleInTransaction, lockTimeout: nil,
            parameters: parameters)
    }

    /// Serves until cancelled: connections, the listener, and notifications to other processes.
    public func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pool.run() }
            group.addTask { await self.listen() }
            group.addTask { await self.notify() }
        }
    }

    private func listen() async {
        for await element in listener {
            if case .notification(let notification) = element, notification.payload == origin { continue }
            signal.raise()
        }
    }

    /// Own commits only: wake-ups that came from others are not passed on.
    private let local = ChangeSignal()

    /// To be called after every own commit.
    func committed() {
        signal.raise()
        local.raise()
    }

    private func notify() async {
        var seen = local.count
        while !Task.isCancelled {
            do {
                let count = try await local.wait(after: seen, timeout: .seconds(60))
                guard count > seen else { continue }
                seen = count
                try await pool.query(Self.notifyStatement, [Self.channel, origin])
                try await Task.sleep(for: Self.notifyInterval)
            } catch is CancellationError {
                return
            } catch {
                // Others look at the feed once a second anyway.
                logger.debug("notification not sent", metadata: ["error": "\(error)"])
            }
        }
    }

    /// A hint that a crash may lose: its commit waits for no disk, and takes none from those that do.
    private static let notifyStatement = Statement(
        name: "notify",
        sql: "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1::text, $2::text)")

    // MARK: Statements

    /// Runs a statement that only reads.
    func read(_ statement: Statement, _ parameters: [any PostgresEncodable] = []) async throws
        -> [PostgresRow]
    {
        do {
            return try await pool.query(statement, parameters)
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// Runs a statement that is a whole transaction; repeated on serialisation failures and deadlocks.
    func write(_ statement: Statement, _ parameters: [any PostgresEncodable] = []) async throws
        -> [PostgresRow]
    {
        do {
            var pipeline = PostgresPipeline()
            try pipeline.append(statement, parameters)
            let name = statement.name ?? "statement"
            let rows = try await pool.run(name: name, pipeline).first?.rows ?? []
            committed()
            return rows
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// As `write`; a trial is taken back, so that its answer is what the write would have answered.
    func write(
        isTrial: Bool, _ statement: Statement, _ parameters: [any PostgresEncodable]
    ) async throws -> [PostgresRow] {
        guard isTrial else { return try await write(statement, parameters) }
        do {
            return try await pool.withConnection { connection in
                try await connection.withTransaction { connection in
                    throw TakenBack(rows: try await connection.query(statement, parameters))
                }
            }
        } catch let trial as TakenBack {
            return trial.rows
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// Ends a trial: its transaction is rolled back.
    private struct TakenBack: Error {
        var rows: [PostgresRow]
    }

    /// Runs several statements in one transaction.
    func transaction<Result>(
        _ name: String, _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await pool.withTransaction(name: name, body)
            committed()
            return result
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// Runs the hold of fault tests, if there is one.
    var hold: CommitHold? { commitHold }
}

extension Timestamp {
    init(_ date: Date) {
        self.init(microseconds: Int64((date.timeIntervalSince1970 * 1_000_000).rounded()))
    }
}

extension PostgresRow {
    func timestamp(_ name: String) throws -> Timestamp { Timestamp(try decode(name, as: Date.self)) }

    func optionalTimestamp(_ name: String) throws -> Timestamp? {
        try decode(name, as: Date?.self).map(Timestamp.init)
    }

    func id<Subject>(_ name: String) throws -> ID<Subject> { ID(try decode(name, as: UUID.self)) }

    func json<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        let text = try decode(name, as: JSONText.self).text
        return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}

extension Duration {
    /// For an `interval` parameter: seconds in text.
    var interval: String { "\(Double(microseconds) / 1_000_000) seconds" }
}
