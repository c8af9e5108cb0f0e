internal import FaultLab
internal import Foundation
internal import Logging
internal import PostgresClient
internal import Shim

/// What a marked child does until its time is over.
public enum Loads {
    /// Takes all of one core.
    public static func burn(seconds: Double) {
        let end = ContinuousClock.now + .seconds(seconds)
        var value: UInt64 = 1
        while ContinuousClock.now < end {
            for _ in 0..<1_000_000 { value = value &* 6_364_136_223_846_793_005 &+ 1 }
        }
        // Used, so that the work is not left out.
        if value == 0 { exit(1) }
    }

    /// Ends the commands of a workload's parts, again and again.
    public static func crashParts(
        agentStates: [String], workload: String?, every: Double, seconds: Double
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            for state in agentStates {
                ProcessTable.end(Parts.processes(agentState: state, workload: workload).map(\.command))
            }
            try await Task.sleep(for: .seconds(every))
        }
    }

    /// Holds a lock that everybody who reads or writes a table waits for.
    public static func holdLock(
        _ database: TargetFile.Database, table: String, application: String, seconds: Double
    ) async throws {
        var configuration = database.configuration
        configuration.applicationName = application
        // The server ends it as well, should this process be no more.
        configuration.session.idleInTransactionTimeout = .seconds(seconds)
        configuration.session.statementTimeout = .seconds(seconds)
        let connection = try await PostgresConnection.connect(
            configuration, logger: Logger(label: "load") { _ in SwiftLogNoOpLogHandler() })
        let quoted = "\"" + table.replacing("\"", with: "\"\"") + "\""
        try await connection.withTransaction { connection in
            try await connection.query(Statement("LOCK TABLE \(quoted) IN ACCESS EXCLUSIVE MODE"))
            try await Task.sleep(for: .seconds(seconds))
        }
        await connection.close()
    }

    /// Takes every connection that is not kept for superusers.
    public static func holdConnections(
        _ database: TargetFile.Database, application: String, seconds: Double
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        var configuration = database.configuration
        configuration.applicationName = application
        var held: [PostgresConnection] = []
        while ContinuousClock.now < end {
            let left = try await database.run { connection in
                let rows = try await connection.query(
                    Statement(
                        """
                        SELECT current_setting('max_connections')::int
                            - current_setting('superuser_reserved_connections')::int - count(*)::int AS n
                        FROM pg_stat_activity
                        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                        """))
                return try rows.first.map { try $0.decode("n", as: Int.self) } ?? 0
            }
            for _ in 0..<max(0, left) {
                held.append(
                    try await PostgresConnection.connect(
                        configuration, logger: Logger(label: "load") { _ in SwiftLogNoOpLogHandler() }))
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        for connection in held { await connection.close() }
    }
}
