import Foundation
import Logging
import PostgresClient
import Testing

/// The one private server of the test process. It is started by the first test that needs it, and stopped and
/// removed when no suite is left that might.
actor PostgresServer {
    static let shared = PostgresServer()
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static let template = "store_template"
    /// Databases at a time: more would only queue for the processors.
    static let databases = 6

    private struct Running: Sendable {
        var directory: URL
        var cluster: PrivateCluster
    }

    private enum State {
        case stopped
        case starting([CheckedContinuation<PostgresConfiguration, any Error>])
        case running(Running)
    }

    private var state = State.stopped
    private var suites = 0
    private var created = 0
    private var free = databases
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Keeps the server while `body` runs.
    func keep(_ body: @Sendable @concurrent () async throws -> Void) async throws {
        suites += 1
        do {
            try await body()
        } catch {
            try await leave()
            throw error
        }
        try await leave()
    }

    private func leave() async throws {
        suites -= 1
        guard suites == 0, case .running(let running) = state else { return }
        state = .stopped
        try await running.cluster.stop(.immediate)
        try FileManager.default.removeItem(at: running.directory)
    }

    /// Runs `body` on a new database with the schema and a clock that stands.
    nonisolated func withDatabase(_ body: (PostgresConfiguration) async throws -> Void) async throws {
        await takePlace()
        do {
            try await runWithDatabase(body)
        } catch {
            await givePlace()
            throw error
        }
        await givePlace()
    }

    private func nextName() -> String {
        created += 1
        return "store_\(created)"
    }

    private nonisolated func runWithDatabase(
        _ body: (PostgresConfiguration) async throws -> Void
    ) async throws {
        let server = try await configuration()
        let name = await nextName()
        try await Self.run("CREATE DATABASE \(name) TEMPLATE \(Self.template)", on: server)
        var database = server
        database.database = name
        do {
            try await body(database)
        } catch {
            try await Self.run("DROP DATABASE \(name) WITH (FORCE)", on: server)
            throw error
        }
        try await Self.run("DROP DATABASE \(name) WITH (FORCE)", on: server)
    }

    private func takePlace() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func givePlace() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }

    private func configuration() async throws -> PostgresConfiguration {
        switch state {
        case .running(let running): return running.cluster.configuration
        case .starting(var others):
            return try await withCheckedThrowingContinuation { continuation in
                others.append(continuation)
                state = .starting(others)
            }
        case .stopped:
            state = .starting([])
            let result: Result<Running, any Error>
            do { result = .success(try await Self.start()) } catch { result = .failure(error) }
            guard case .starting(let others) = state else { return try await configuration() }
            state = (try? result.get()).map(State.running) ?? .stopped
            let answer = result.map(\.cluster.configuration)
            for other in others { other.resume(with: answer) }
            return try answer.get()
        }
    }

    private static func start() async throws -> Running {
        let directory = try temporaryDirectory()
        let cluster = cluster(in: directory)
        try await cluster.start()
        try await run("CREATE DATABASE \(template)", on: cluster.configuration)
        var database = cluster.configuration
        database.database = template
        try await prepare(database)
        return Running(directory: directory, cluster: cluster)
    }

    /// A server that forgets everything with its machine, which makes databases quick to make.
    static func cluster(in directory: URL, settings: [String] = []) -> PrivateCluster {
        PrivateCluster(
            PrivateCluster.Options(
                dataDirectory: directory.appendingPathComponent("data"),
                settings: [
                    "max_connections = 200", "shared_buffers = 64MB", "deadlock_timeout = 50ms",
                    "fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off",
                ] + settings,
                startTimeout: .seconds(120)), logger: logger)
    }

    static func temporaryDirectory() throws -> URL {
        var template = Array("/tmp/store-tests-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        try #require(chmod(path, 0o755) == 0)
        return URL(filePath: path)
    }

    static func migrations() throws -> [Migration] {
        var root = URL(filePath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        return try Migration.read(from: root.appending(path: "Migrations"))
    }

    /// Makes the clock of tests, which the schema's own first rows go by, and then the schema.
    static func prepare(_ database: PostgresConfiguration) async throws {
        try await connected(database) { connection in
            try await connection.runScript(
                """
                SET basalt.test_clock = 'on';
                CREATE TABLE test_clock (at timestamptz NOT NULL);
                INSERT INTO test_clock VALUES ('\(Scene.start)');
                """)
            _ = try await MigrationRunner(migrations(), logger: logger).run(on: connection)
        }
    }

    static func run(_ sql: String, on configuration: PostgresConfiguration) async throws {
        try await connected(configuration) { try await $0.runScript(sql) }
    }

    static func connected<Answer>(
        _ configuration: PostgresConfiguration, _ body: (PostgresConnection) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await PostgresConnection.connect(configuration, logger: logger)
        let answer: Answer
        do {
            answer = try await body(connection)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return answer
    }
}

/// Keeps the server for a suite.
struct PostgresServerTrait: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await PostgresServer.shared.keep(function)
    }
}

extension Trait where Self == PostgresServerTrait {
    static var postgresServer: Self { Self() }
}
