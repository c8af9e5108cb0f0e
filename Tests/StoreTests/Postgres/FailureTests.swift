import AgentProtocol
import Fleet
import Foundation
import PostgresClient
import Testing

@testable import Store

@Suite("Failures of the database", .postgresServer)
struct FailureTests {
    private static func code(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "none"
        } catch StoreError.unavailable {
            return "unavailable"
        } catch StoreError.outcomeUnknown {
            return "outcomeUnknown"
        } catch {
            return "\(error)"
        }
    }

    @Test("a statement that runs too long is unavailability")
    func timeout() async throws {
        try await PostgresHarness.with { harness in
            let scene = Scene(harness: harness)
            try await scene.create(.cell, "a", spec: CellSpec())
            var configuration = harness.configuration
            configuration.session.statementTimeout = .milliseconds(50)
            let impatient = PostgresHarness.store(on: configuration, origin: "impatient")
            async let _: Void = impatient.run()
            try await PostgresServer.connected(harness.configuration) { connection in
                try await connection.runScript("BEGIN; SELECT 1 FROM document FOR UPDATE")
                let code = await Self.code {
                    _ = try await impatient.delete(
                        .cell, project: nil, name: "a", precondition: .none, context: Scene.user)
                }
                #expect(code == "unavailable")
                try await connection.runScript("ROLLBACK")
            }
        }
    }

    @Test("a server that is not there is unavailability")
    func refused() async throws {
        try await PostgresHarness.with { harness in
            var configuration = harness.configuration
            configuration.endpoint = .socketDirectory("/nonexistent", port: 1)
            let pool = PostgresPool(
                configuration: configuration,
                pool: PoolConfiguration(minimumConnections: 0, acquireTimeout: .milliseconds(100)),
                jitter: .seeded(1), logger: PostgresServer.logger)
            let lost = PostgresStore(
                pool: pool, origin: "lost", logger: PostgresServer.logger, jitter: .seeded(1))
            async let _: Void = lost.run()
            #expect(await Self.code { _ = try await lost.now() } == "unavailable")
        }
    }

    @Test("of two creators of one name at once the second is told kind and name")
    func race() async throws {
        try await PostgresHarness.with { harness in
            let scene = Scene(harness: harness)
            try await scene.create(.cell, "x", spec: CellSpec())
            let older = try await PostgresConnection.connect(
                harness.configuration, logger: PostgresServer.logger)
            try await older.runScript("BEGIN")
            let first = scene.draft(.project, "x", spec: "{}")
            try await older.query(
                "SELECT document_create_1($1::jsonb, $2, NULL, $2)", [JSONText("[\(first.json)]"), "t"])
            async let second: Void = {
                let taken = StoreError.alreadyExists(kind: .project, name: "x")
                let drafts = [
                    scene.draft(.flavor, "x", spec: "{}"), scene.draft(.project, "x", spec: "{}"),
                ]
                await #expect(throws: taken) {
                    try await scene.store.create(drafts, context: Scene.user)
                }
            }()
            try await Self.waitUntilBlocked(harness)
            try await older.runScript("COMMIT")
            await older.close()
            await second
        }
    }

    /// Returns when somebody waits for a lock in the database.
    private static func waitUntilBlocked(_ harness: PostgresHarness) async throws {
        try await PostgresServer.connected(harness.configuration) { connection in
            while true {
                let rows = try await connection.query(
                    """
                    SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """)
                if !rows.isEmpty { return }
                await Task.yield()
            }
        }
    }

    @Test("a report or a plan whose answer was lost may be sent again", arguments: StoreImplementation.all)
    func repeats(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", lease: lease)
            let report = [scene.part(placed.id, .running), scene.part(scene.ids.id(), .running)]
            #expect(try await scene.report(report, sequence: 1).count == 1)
            let (host, last) = (try await scene.host(), try await scene.events().last?.id)
            #expect(try await scene.report(report, sequence: 1).isEmpty)
            #expect(try await scene.host() == host)
            #expect(try await scene.events().last?.id == last)
        }
    }

    @Test("a commit whose connection broke is found to be applied when it is tried again")
    func unknownOutcome() async throws {
        try await Scene.run(.postgres, hosts: 1) { scene in
            let lease = try await scene.lease()
            let vm = try await scene.createVM("web")
            let directive = Directive.allocate(scene.allocate(vm, on: try await scene.host()))
            let planned = try await scene.planned([[directive]], lease: lease)
            let held = try #require(try await scene.harness.holdCommit(planned))
            let harness = try #require(scene.harness as? PostgresHarness)
            // The server ends the session, and with it the transaction.
            try await PostgresServer.run(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND state = 'idle in transaction'
                """, on: harness.configuration)
            #expect(
                ["unavailable", "outcomeUnknown"].contains(await Self.code { _ = try await held.finish() }))
            #expect(try await scene.store.commit(planned).refusals.isEmpty)
            await #expect(throws: StoreError.planAlreadyApplied(planned.plan.id)) {
                try await scene.store.commit(planned)
            }
            #expect(try await scene.store.allocations(.live).count == 1)
        }
    }

    @Test("a write wakes whoever waits in another process")
    func wakes() async throws {
        try await PostgresHarness.with { harness in
            let other = PostgresHarness.store(on: harness.configuration, origin: "other")
            async let _: Void = other.run()
            let scene = Scene(harness: harness)
            // The first waits may end because the other begins to listen.
            var seen = try await other.waitForChange(after: 0, timeout: .zero)
            try await scene.create(.cell, "c0", spec: CellSpec())
            seen = try await other.waitForChange(after: seen, timeout: PostgresHarness.patience)
            // A wait that nobody ends leaves the count where it was.
            for index in 1...3 {
                let known = seen
                async let woken = other.waitForChange(after: known, timeout: PostgresHarness.patience)
                try await scene.create(.cell, "c\(index)", spec: CellSpec())
                seen = try await woken
                #expect(seen > known)
            }
        }
    }

    @Test("the store recovers by itself when the server was restarted")
    func restart() async throws {
        let directory = try PostgresServer.temporaryDirectory()
        // A commit that was answered outlives the server.
        let cluster = PostgresServer.cluster(in: directory, settings: ["synchronous_commit = on"])
        do {
            try await cluster.start()
            try await PostgresServer.prepare(cluster.configuration)
            let store = PostgresHarness.store(
                on: PostgresHarness.settings(for: cluster.configuration), origin: "restarted")
            async let _: Void = store.run()
            let ids = SeededIDs(seed: 3)
            func create(_ name: String) async throws {
                let draft = DocumentDraft(uid: ids.id(), kind: .cell, name: name, spec: "{}")
                _ = try await store.create([draft], context: Scene.user)
            }
            try await create("before")
            try await cluster.stop(.immediate)
            try await cluster.start()
            // The first calls may find connections that broke with the server.
            let deadline = ContinuousClock.now + PostgresHarness.patience
            while try await store.document(.cell, project: nil, name: "after") == nil {
                try #require(ContinuousClock.now < deadline)
                do { try await create("after") } catch StoreError.unavailable {
                } catch StoreError.outcomeUnknown {}
            }
            let cells = try await store.list(ListQuery(kind: .cell)).documents
            #expect(cells.map(\.metadata.name) == ["after", "before"])
        } catch {
            try await cluster.stop(.immediate)
            throw error
        }
        try await cluster.stop(.immediate)
        try FileManager.default.removeItem(at: directory)
    }
}
