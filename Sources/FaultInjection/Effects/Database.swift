internal import Foundation
internal import Logging
internal import PostgresClient

extension TargetFile.Database {
    private static var silent: Logger { Logger(label: "fault") { _ in SwiftLogNoOpLogHandler() } }

    var cluster: PrivateCluster {
        PrivateCluster(
            .init(dataDirectory: URL(filePath: dataDirectory)), logger: Self.silent)
    }

    /// By its lock file, so that nobody has to answer.
    var isRunning: Bool {
        guard let data = FileManager.default.contents(atPath: dataDirectory + "/postmaster.pid"),
            let id = String(decoding: data, as: UTF8.self).split(separator: "\n").first.flatMap({ Int32($0) })
        else { return false }
        return kill(id, 0) == 0 || errno == EPERM
    }

    var configuration: PostgresConfiguration {
        var configuration =
            connection.map {
                PostgresConfiguration(endpoint: .connectionString(Secret($0)))
            } ?? cluster.configuration
        configuration.connectTimeout = .seconds(3)
        // What it is to undo must not keep the injector itself from writing.
        configuration.session.parameters["default_transaction_read_only"] = "off"
        configuration.session.statementTimeout = .seconds(5)
        return configuration
    }

    func run<Result: Sendable>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await PostgresConnection.connect(configuration, logger: Self.silent)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension PostgresConnection {
    /// What `ALTER SYSTEM` set; nil when nothing.
    nonisolated func setting(_ name: String) async throws -> String? {
        let rows = try await query(
            Statement(
                """
                SELECT setting FROM pg_file_settings
                WHERE name = $1 AND sourcefile LIKE '%postgresql.auto.conf' ORDER BY seqno DESC LIMIT 1
                """), [name])
        return try rows.first?.decode("setting")
    }

    /// - Parameter value: nil takes back what `ALTER SYSTEM` set.
    nonisolated func set(_ name: String, to value: String?) async throws {
        let quoted = value.map { "'" + $0.replacing("'", with: "''") + "'" }
        try await runScript(
            quoted.map { "ALTER SYSTEM SET \(name) = \($0)" } ?? "ALTER SYSTEM RESET \(name)")
        try await query(Statement("SELECT pg_reload_conf()"))
    }

    /// -1 for none.
    nonisolated func connectionLimit(of role: String) async throws -> Int {
        let rows = try await query(
            Statement("SELECT rolconnlimit FROM pg_roles WHERE rolname = $1"), [role])
        guard let row = rows.first else { throw InjectionError("there is no role \(role)") }
        return try row.decode("rolconnlimit", as: Int.self)
    }

    nonisolated func setConnectionLimit(_ limit: Int, of role: String) async throws {
        let quoted = "\"" + role.replacing("\"", with: "\"\"") + "\""
        try await runScript("ALTER ROLE \(quoted) CONNECTION LIMIT \(limit)")
    }
}
