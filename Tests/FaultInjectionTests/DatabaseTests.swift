import FaultInjection
import FaultLab
import Foundation
import Logging
import PostgresClient
import Testing

/// Every fault of a real Postgres is felt, and gone when its lease is over.
@Suite(.serialized)
struct DatabaseTests {
    @Test func everyFaultOfAServerIsFeltAndTakenBack() async throws {
        let bench = try Bench("database")
        defer { try? bench.end() }
        // The server may be another user's.
        try #require(chmod(bench.directory.path, 0o755) == 0)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let cluster = PrivateCluster(
            .init(
                dataDirectory: bench.directory.appending(path: "postgres"), settings: ["max_connections = 20"]
            ),
            logger: logger)
        try await cluster.start()
        do {
            try await run("CREATE ROLE app LOGIN", cluster)
            try await run("CREATE TABLE allocation (x int)", cluster)
            let database = TargetFile.Database(
                dataDirectory: bench.directory.appending(path: "postgres").path, role: "app")
            try JSONEncoder().encode(
                TargetFile(targets: [.init(target: FaultTarget(.store, "primary"), database: database)])
            ).write(to: URL(filePath: bench.targets))
            for kind in Self.felt { try await feel(kind, bench, cluster) }
        } catch {
            try await cluster.stop(.immediate)
            throw error
        }
        try await cluster.stop(.immediate)
    }

    private static let felt: [FaultKind] = [
        .storeReadOnly, .storeSlow, .storeRoleLimit, .storeLockHeld, .storeConnectionsExhausted,
        .storeRestart, .storeOutage,
    ]

    private func feel(_ kind: FaultKind, _ bench: Bench, _ cluster: PrivateCluster) async throws {
        let injector = try bench.injector([
            "inject", "--state-directory", bench.state, "--targets", bench.targets, "--name",
            kind.rawValue.lowercased(), "--kind", kind.rawValue, "--target", "store/primary", "--lease", "3",
        ])
        #expect(try await bench.status(of: injector) == 0, "\(kind)")
        // Other than that it might have been taken back already, on a machine that is very slow.
        if try !bench.armings().isEmpty {
            let isFelt = try await isFelt(kind, cluster)
            #expect(try isFelt || bench.armings().isEmpty, "\(kind)")
        }
        try await eventually("\(kind) is taken back") { try bench.armings().isEmpty }
        try await eventually("all is well after \(kind)") {
            do {
                try await run("INSERT INTO allocation VALUES (1)", cluster)
                try await run("SELECT 1", cluster, user: "app")
                return true
            } catch { return false }
        }
        let settings = try await rows(
            "SELECT 1 FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'", cluster)
        #expect(settings == 0, "\(kind)")
        #expect(
            try await rows("SELECT 1 FROM pg_roles WHERE rolname = 'app' AND rolconnlimit <> -1", cluster)
                == 0)
        #expect(
            try await rows(
                "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'basalt-fault%'", cluster) == 0)
    }

    private func isFelt(_ kind: FaultKind, _ cluster: PrivateCluster) async throws -> Bool {
        switch kind {
        case .storeReadOnly: await fails("INSERT INTO allocation VALUES (2)", cluster)
        case .storeSlow:
            try await rows(
                "SELECT 1 FROM pg_settings WHERE name = 'commit_delay' AND setting = '100000'", cluster) == 1
        case .storeRoleLimit:
            try await rows("SELECT 1 FROM pg_roles WHERE rolname = 'app' AND rolconnlimit = 1", cluster) == 1
        case .storeLockHeld:
            await fails("SET lock_timeout = 100; SELECT count(*) FROM allocation", cluster)
        case .storeConnectionsExhausted: await fails("SELECT 1", cluster, user: "app")
        // It is up again.
        case .storeRestart: !(await fails("SELECT 1", cluster))
        case .storeOutage: await fails("SELECT 1", cluster)
        default: false
        }
    }

    // MARK: -

    private func run(_ sql: String, _ cluster: PrivateCluster, user: String? = nil) async throws {
        let connection = try await connect(cluster, user)
        do {
            try await connection.runScript(sql)
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    private func fails(_ sql: String, _ cluster: PrivateCluster, user: String? = nil) async -> Bool {
        do {
            try await run(sql, cluster, user: user)
            return false
        } catch { return true }
    }

    private func rows(_ sql: String, _ cluster: PrivateCluster) async throws -> Int {
        let connection = try await connect(cluster, nil)
        let count = try await connection.query(Statement(sql)).count
        await connection.close()
        return count
    }

    private func connect(_ cluster: PrivateCluster, _ user: String?) async throws -> PostgresConnection {
        var configuration = cluster.configuration
        if let user { configuration.user = user }
        return try await PostgresConnection.connect(
            configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
