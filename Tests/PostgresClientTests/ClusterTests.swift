import Foundation
import PostgresClient
import Testing

@Suite struct ClusterTests {
    @Test func adoptionCrashAndRestart() async throws {
        try await TemporaryDirectory.with { directory in
            let options = TemporaryCluster.options(directory)
            let configuration: PostgresConfiguration
            let process: Int32
            do {
                let cluster = PrivateCluster(options, logger: ServerTests.logger)
                #expect(try await cluster.start() == .started)
                configuration = cluster.configuration
                process = try #require(await cluster.processID)
            }
            // The first object is gone; the server is not.
            let cluster = PrivateCluster(options, logger: ServerTests.logger)
            #expect(try await cluster.start() == .adopted)
            #expect(await cluster.processID == process)
            let pool = PostgresPool(
                configuration: configuration,
                pool: PoolConfiguration(minimumConnections: 1, acquireTimeout: .seconds(60)),
                jitter: .seeded(1), logger: ServerTests.logger)
            try await ServerTests.serving(pool) { pool in
                try await pool.query("CREATE TABLE kept AS SELECT 1 AS i")
                try await survivesKill(cluster, process, pool)
                try await survivesRestart(cluster, pool)
            }
            try await cluster.stop()
            #expect(await !cluster.isRunning)
            try await cluster.stop()
        }
    }

    /// A postmaster that was killed leaves its lock file; the next start must get past it.
    private func survivesKill(
        _ cluster: PrivateCluster, _ process: Int32, _ pool: PostgresPool
    ) async throws {
        async let exit: Void = cluster.waitUntilExit(pollInterval: .milliseconds(5))
        #expect(kill(process, SIGKILL) == 0)
        try await exit
        #expect(await !cluster.isRunning)
        #expect(try await cluster.start() == .started)
        #expect(try await pool.query("SELECT * FROM kept").count == 1)
    }

    private func survivesRestart(_ cluster: PrivateCluster, _ pool: PostgresPool) async throws {
        let error = try await postgresError {
            try await pool.withConnection { connection in
                try await cluster.stop(.fast)
                try await connection.query("SELECT 1")
            }
        }
        #expect(error.isConnectionLost)
        try await cluster.start()
        #expect(try await pool.query("SELECT * FROM kept").count == 1)
        let statement = Statement(name: "restart", sql: "SELECT 1")
        #expect(try await pool.query(statement).count == 1)
    }

    @Test func longPathsGetAShortSocketDirectory() async throws {
        try await TemporaryDirectory.with { directory in
            let deep = directory.appendingPathComponent(String(repeating: "d", count: 120))
            let cluster = PrivateCluster(
                PrivateCluster.Options(dataDirectory: deep), logger: ServerTests.logger)
            guard case .socketDirectory(let path, _) = cluster.configuration.endpoint else { return }
            #expect(path.utf8.count < 80)
            let again = PrivateCluster(
                PrivateCluster.Options(dataDirectory: deep), logger: ServerTests.logger)
            #expect(again.configuration == cluster.configuration)
        }
    }

    @Test func clearErrors() async throws {
        try await TemporaryDirectory.with { directory in
            var options = PrivateCluster.Options(dataDirectory: directory.appendingPathComponent("data"))
            options.binaryDirectory = directory
            let missing = PrivateCluster(options, logger: ServerTests.logger)
            let error = try await postgresError { try await missing.start() }
            #expect(error.code == .clusterBinariesNotFound)
            guard geteuid() == 0 else { return }
            let closed = directory.appendingPathComponent("closed")
            #expect(mkdir(closed.path, 0o700) == 0)
            let hidden = PrivateCluster(
                PrivateCluster.Options(dataDirectory: closed.appendingPathComponent("data")),
                logger: ServerTests.logger)
            let refused = try await postgresError { try await hidden.start() }
            #expect(refused.code == .clusterDirectory)
            #expect(refused.message.contains(closed.path))
        }
    }
}
