import Foundation
import Logging
import PostgresClient
import Store

/// A private Postgres cluster with the product's schema, in a directory of its own that is removed at the
/// end.
struct BenchmarkCluster {
    let directory: URL
    let cluster: PrivateCluster
    let logger: Logger

    init() {
        var logger = Logger(label: "basalt-bench")
        logger.logLevel = .error
        self.logger = logger
        directory = FileManager.default.temporaryDirectory
            .appending(path: "basalt-bench-\(ProcessInfo.processInfo.processIdentifier)")
        cluster = PrivateCluster(
            PrivateCluster.Options(
                dataDirectory: directory.appending(path: "postgres"),
                // Durability as it is by default; a log so long that no checkpoint falls into one round only.
                settings: [
                    "max_connections = 50", "shared_buffers = '512MB'", "max_wal_size = '4GB'",
                    "checkpoint_timeout = '15min'",
                ]),
            logger: logger)
    }

    /// Runs `body` beside a started cluster with the current schema, and stops and removes it after.
    func with(_ body: (PostgresStore) async throws -> Void) async throws {
        try await cluster.start()
        do {
            try await migrate()
            let store = store()
            try await withThrowingTaskGroup { group in
                group.addTask { await store.run() }
                try await body(store)
                group.cancelAll()
            }
        } catch {
            try await cluster.stop(.immediate)
            throw error
        }
        try await cluster.stop(.immediate)
        try FileManager.default.removeItem(at: directory)
    }

    /// The schema's files, from the root of the package.
    private func migrate() async throws {
        let runner = try MigrationRunner(
            try Migration.read(from: URL(filePath: "Migrations")), logger: logger)
        let connection = try await PostgresConnection.connect(cluster.configuration, logger: logger)
        _ = try await runner.run(on: connection)
        await connection.close()
    }

    private func store() -> PostgresStore {
        var configuration = cluster.configuration
        configuration.session = PostgresStore.sessionSettings()
        let pool = PostgresPool(
            configuration: configuration,
            pool: PoolConfiguration(minimumConnections: 2, maximumConnections: 16), jitter: .system,
            logger: logger)
        return PostgresStore(pool: pool, origin: "bench", logger: logger, jitter: .system)
    }

    /// Runs SQL without the limits of the store's sessions.
    func script(_ sql: String) async throws {
        let connection = try await PostgresConnection.connect(cluster.configuration, logger: logger)
        try await connection.runScript(sql)
        await connection.close()
    }

    var socketDirectory: String {
        get throws {
            guard case .socketDirectory(let path, _) = cluster.configuration.endpoint else {
                throw BenchmarkError("the private cluster has no socket")
            }
            return path
        }
    }
}
