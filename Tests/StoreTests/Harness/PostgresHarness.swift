import Fleet
import Logging
import PostgresClient
@testable import Store
import Synchronization
import Testing

/// A `PostgresStore` on a database of its own, under a clock that the test moves for all its connections.
final class PostgresHarness: StoreHarness {
    let store: any Store
    let postgres: PostgresStore
    let configuration: PostgresConfiguration
    private let gate = CommitGate()
    /// Transactions that the test holds open, or did.
    private let held = Mutex<Set<UInt64>>([])
    private let jobs: AsyncStream<@Sendable () async -> Void>
    private let jobInput: AsyncStream<@Sendable () async -> Void>.Continuation

    /// Limits that only a hang would reach: the machine that runs tests is busy with others.
    static let patience = Duration.seconds(120)

    private init(_ database: PostgresConfiguration) {
        let gate = gate
        configuration = Self.settings(for: database)
        postgres = Self.store(on: configuration, origin: "harness") { _ in await gate.pass() }
        store = postgres
        (jobs, jobInput) = AsyncStream.makeStream()
    }

    static func with(_ body: (PostgresHarness) async throws -> Void) async throws {
        try await PostgresServer.shared.withDatabase { try await with($0, body) }
    }

    /// Serves while `body` runs; leaving ends the service.
    private static func with(
        _ database: PostgresConfiguration, _ body: (PostgresHarness) async throws -> Void
    ) async throws {
        let harness = PostgresHarness(database)
        async let _: Void = harness.serve()
        try await body(harness)
    }

    private func serve() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.postgres.run() }
            for await job in jobs { group.addTask { await job() } }
            group.cancelAll()
        }
    }

    /// A database as a store of the suite sees it.
    static func settings(for database: PostgresConfiguration) -> PostgresConfiguration {
        var configuration = database
        configuration.connectTimeout = patience
        configuration.session = PostgresStore.sessionSettings(idleInTransaction: patience)
        configuration.session.statementTimeout = patience
        configuration.session.parameters["basalt.test_clock"] = "on"
        return configuration
    }

    static func store(
        on configuration: PostgresConfiguration, origin: String, hold: PostgresStore.CommitHold? = nil
    ) -> PostgresStore {
        let pool = PostgresPool(
            configuration: configuration,
            pool: PoolConfiguration(
                minimumConnections: 0, maximumConnections: 16, acquireTimeout: patience),
            jitter: .seeded(1), logger: PostgresServer.logger)
        return PostgresStore(
            pool: pool, origin: origin, logger: PostgresServer.logger, jitter: .seeded(2), commitHold: hold)
    }

    func advance(by duration: Duration) async throws {
        try await postgres.pool.query(
            "UPDATE test_clock SET at = at + $1::text::interval",
            ["\(duration.microseconds) microseconds"])
    }

    /// Transactions of other databases of the server count as well: the feed waits for them all.
    func settle() async throws {
        let rows = try await postgres.pool.query("SELECT pg_snapshot_xmax(pg_current_snapshot())")
        let line: UInt64 = try #require(rows.first).decode(at: 0)
        let held = held.withLock { $0 }
        while true {
            let running = try await postgres.pool.query("SELECT pg_snapshot_xip(pg_current_snapshot())")
                .map { try $0.decode(UInt64.self, at: 0) }
            if running.allSatisfy({ $0 >= line || held.contains($0) }) { return }
            await Task.yield()
        }
    }

    func holdTransaction() async throws -> any HeldTransaction {
        let connection = try await PostgresConnection.connect(configuration, logger: PostgresServer.logger)
        try await connection.runScript("BEGIN")
        let rows = try await connection.query("SELECT pg_current_xact_id()")
        let number: UInt64 = try #require(rows.first).decode(at: 0)
        held.withLock { _ = $0.insert(number) }
        return HeldPostgresTransaction(connection: connection, store: store)
    }

    func holdCommit(_ commit: LedgerCommit) async throws -> (any HeldCommit)? {
        gate.close()
        let (results, input) = AsyncThrowingStream<CommitOutcome, any Error>.makeStream()
        let store = store
        jobInput.yield {
            do {
                input.yield(try await store.commit(commit))
                input.finish()
            } catch {
                input.finish(throwing: error)
            }
        }
        await gate.waitUntilHeld()
        return HeldPostgresCommit(gate: gate, results: results)
    }
}

/// Created on a connection of its own, whose transaction began before.
private struct HeldPostgresTransaction: HeldTransaction {
    var connection: PostgresConnection
    var store: any Store

    func finish(creating drafts: [DocumentDraft], context: WriteContext) async throws -> [Resource] {
        let list = "[" + drafts.map(\.json).joined(separator: ",") + "]"
        try await connection.query(
            "SELECT document_create_1($1::jsonb, $2, $3, $4)",
            [JSONText(list), context.actor, context.requestID, context.verb])
        try await connection.runScript("COMMIT")
        await connection.close()
        var made: [Resource] = []
        for draft in drafts { made += try await store.documents(draft.kind, uids: [draft.uid]) }
        return made
    }
}

private struct HeldPostgresCommit: HeldCommit {
    var gate: CommitGate
    var results: AsyncThrowingStream<CommitOutcome, any Error>

    func finish() async throws -> CommitOutcome {
        gate.open()
        for try await outcome in results { return outcome }
        throw CancellationError()
    }
}

/// Holds commits before their COMMIT while it is closed.
private final class CommitGate: Sendable {
    private struct State {
        var isClosed = false
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func close() { state.withLock { $0.isClosed = true } }

    func open() {
        let held = state.withLock { state in
            state.isClosed = false
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let woken: [CheckedContinuation<Void, Never>] = state.withLock { state in
                guard state.isClosed else { return [continuation] }
                state.held.append(continuation)
                state.isHeld = true
                defer { state.watchers = [] }
                return state.watchers
            }
            for waiter in woken { waiter.resume() }
        }
    }

    func waitUntilHeld() async {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if !state.isHeld { state.watchers.append(continuation) }
                return state.isHeld
            }
            if isHeld { continuation.resume() }
        }
    }
}
