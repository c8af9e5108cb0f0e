import Foundation
import Logging
import PostgresClient
import Testing

/// All suites that need a server; they share one private cluster, made before the first test and removed
/// after the last.
@Suite(.privateCluster)
enum ServerTests {
    @TaskLocal static var cluster: PrivateCluster?

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func configuration() throws -> PostgresConfiguration {
        var configuration = try #require(cluster).configuration
        configuration.applicationName = "test"
        configuration.connectTimeout = .seconds(30)
        return configuration
    }

    static func connect() async throws -> PostgresConnection {
        try await PostgresConnection.connect(configuration(), logger: logger)
    }

    /// A pool that serves while `body` runs.
    static func withPool<Result: Sendable>(
        _ settings: PoolConfiguration = PoolConfiguration(
            minimumConnections: 0, maximumConnections: 4, acquireTimeout: .seconds(60)),
        _ body: (PostgresPool) async throws -> Result
    ) async throws -> Result {
        let pool = PostgresPool(
            configuration: try configuration(), pool: settings, jitter: .seeded(1), logger: logger)
        return try await serving(pool, body)
    }

    static func serving<Result: Sendable>(
        _ pool: PostgresPool, _ body: (PostgresPool) async throws -> Result
    ) async throws -> Result {
        async let service: Void = pool.run()
        let result: Result
        do {
            result = try await body(pool)
        } catch {
            pool.close()
            await service
            throw error
        }
        pool.close()
        await service
        return result
    }
}

struct PrivateClusterTrait: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await TemporaryCluster.with { cluster in
            try await cluster.start()
            try await ServerTests.$cluster.withValue(cluster, operation: function)
        }
    }
}

extension Trait where Self == PrivateClusterTrait {
    static var privateCluster: Self { Self() }
}

/// A directory that a test may fill and that is removed with it.
enum TemporaryDirectory {
    static func with<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
        var template = Array("/tmp/postgres-client-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        try #require(chmod(path, 0o755) == 0)
        let result: Result
        do {
            result = try await body(URL(fileURLWithPath: path))
        } catch {
            try FileManager.default.removeItem(atPath: path)
            throw error
        }
        try FileManager.default.removeItem(atPath: path)
        return result
    }
}

/// A cluster that is stopped and removed with its test.
enum TemporaryCluster {
    static func options(_ directory: URL) -> PrivateCluster.Options {
        PrivateCluster.Options(
            dataDirectory: directory.appendingPathComponent("data"),
            settings: ["max_connections = 200", "shared_buffers = 32MB", "deadlock_timeout = 50ms"],
            startTimeout: .seconds(120))
    }

    static func with(_ body: (PrivateCluster) async throws -> Void) async throws {
        try await TemporaryDirectory.with { directory in
            let cluster = PrivateCluster(options(directory), logger: ServerTests.logger)
            do {
                try await body(cluster)
            } catch {
                try await cluster.stop(.immediate)
                throw error
            }
            try await cluster.stop(.immediate)
        }
    }
}

/// Asks again until a condition holds; fails with `what` after a time that only a hang would take.
func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// The error that an expression throws.
func postgresError(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> PostgresError {
    try #require(
        await #expect(throws: PostgresError.self, sourceLocation: location) { try await body() })
}
