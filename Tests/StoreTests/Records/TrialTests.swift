import AgentProtocol
import Fleet
import Store
import Testing

/// Trials answer what the call would answer, refusals included, and leave nothing behind.
@Suite("Trials", .postgresServer)
struct TrialTests {
    /// What a trial could have written.
    private struct Traces: Equatable {
        var audit: Int
        var events: Int
        var entries: Int

        init(_ scene: Scene) async throws {
            audit = try await scene.audit().count
            events = try await scene.events().count
            let start = FeedCursor(epoch: 1, transaction: 0, sequence: 0)
            entries = try await scene.feed(after: start, limit: 10_000).entries.count
        }
    }

    @Test("an adoption and an end of what was found running", arguments: StoreImplementation.all)
    func found(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let id: ID<Allocation> = scene.ids.id()
            let directive = scene.orphan(id)
            try await scene.report([scene.part(id, .running, directive: directive)], sequence: 1)
            let quarantined = try await scene.allocation(id)
            var draft = scene.draft(
                .vm, "lost", project: "team", spec: #"{"cell":"a"}"#, finalizers: [Finalizer.allocations])
            draft.uid = quarantined.workload.uid
            let before = try await Traces(scene)
            let host = try await scene.host()

            let store = scene.store
            let adopted = try await store.adopt(id, draft: draft, context: Scene.user, isTrial: true)
            #expect(!adopted.quarantined && adopted.id == id)
            let stopped = try await store.stop(id, context: Scene.user, isTrial: true)
            #expect(stopped.state == .releasing)
            await #expect(throws: StoreError.notFound(kind: .vm, name: "lost")) {
                try await store.adopt(id, draft: nil, context: Scene.user, isTrial: true)
            }
            #expect(try await scene.allocation(id) == quarantined)
            #expect(try await scene.host() == host)
            #expect(try await store.document(.vm, project: "team", name: "lost") == nil)
            #expect(try await Traces(scene) == before)
        }
    }

    @Test("tokens", arguments: StoreImplementation.all)
    func tokens(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let store = scene.store
            let before = try await Traces(scene)
            let token = AccessToken(name: "ci", role: .viewer, secretHash: "x", expiresAt: nil)
            try await store.createToken(token, context: Scene.user, isTrial: true)
            #expect(try await store.token(secretHash: "x") == nil)
            var join = JoinToken(
                secretHash: "t", cell: "a", pool: "p", hostPattern: "h*", lifetime: .seconds(60))
            try await store.createJoinToken(join, context: Scene.user, isTrial: true)
            #expect(try await Traces(scene) == before)

            join.pool = "none"
            await #expect(throws: StoreError.referenceMissing(field: "pool", kind: .pool, name: "none")) {
                try await store.createJoinToken(join, context: Scene.user, isTrial: true)
            }
            try await store.createToken(token, context: Scene.user)
            await #expect(throws: StoreError.alreadyExists(kind: .token, name: "ci")) {
                try await store.createToken(token, context: Scene.user, isTrial: true)
            }
        }
    }

    @Test("the reset of a breaker", arguments: StoreImplementation.all)
    func breaker(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let lease = try await scene.lease()
            let lost = try await scene.join("s1", pattern: "l*")
            try await scene.hello(lost, (0..<4).map { scene.hostHello("l\($0)", zone: "z1") })
            let store = scene.store
            await #expect(throws: StoreError.notFound(kind: .cell, name: "a/z1")) {
                try await store.resetBreaker(cell: "a", zone: "z1", context: Scene.user, isTrial: true)
            }
            for _ in 0..<12 {
                try await scene.advance(5)
                _ = try await scene.judge(lease, breaker: 0.1)
            }
            let before = try await Traces(scene)
            let held = try await store.breakers()
            #expect(
                try await store.resetBreaker(cell: "a", zone: "z1", context: Scene.user, isTrial: true) == 4)
            #expect(try await store.breakers() == held && held.count == 1)
            #expect(try await Traces(scene) == before)
        }
    }
}
