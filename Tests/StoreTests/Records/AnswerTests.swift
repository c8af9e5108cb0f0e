import Fleet
import Store
import Testing

@Suite("Answers that are kept for repeats", .postgresServer)
struct AnswerTests {
    private static let key = IdempotencyKey(key: "k", requestHash: "h")
    private static let answer = KeptAnswer(
        status: 202, headers: ["location": "/v1/operations/1"], body: #"{"b":1,"a":"é"}"#)

    private func claim(
        _ scene: Scene, _ key: IdempotencyKey = Self.key, actor: String = "user/ann"
    ) async throws -> RequestClaim {
        try await scene.store.claim(key, actor: actor, patience: .seconds(90))
    }

    @Test("a key is performed once and answered after", arguments: StoreImplementation.all)
    func replay(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            #expect(try await claim(scene) == .perform(claim: 1))
            #expect(try await claim(scene) == .running)
            try await scene.store.keep(Self.answer, of: Self.key, actor: "user/ann", claim: 1)
            #expect(try await claim(scene) == .answered(Self.answer))
            // What was answered cannot be taken back or answered otherwise.
            try await scene.store.giveBack(Self.key, actor: "user/ann", claim: 1)
            try await scene.store.keep(
                KeptAnswer(status: 200, headers: [:], body: nil), of: Self.key, actor: "user/ann", claim: 1)
            #expect(try await claim(scene) == .answered(Self.answer))
            await #expect(throws: StoreError.idempotencyKeyReused("k")) {
                try await claim(scene, IdempotencyKey(key: "k", requestHash: "other"))
            }
            #expect(try await claim(scene, actor: "user/bob") == .perform(claim: 1))
        }
    }

    @Test("a refused request gives its key back", arguments: StoreImplementation.all)
    func giveBack(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            #expect(try await claim(scene) == .perform(claim: 1))
            try await scene.store.giveBack(Self.key, actor: "user/ann", claim: 1)
            #expect(
                try await claim(scene, IdempotencyKey(key: "k", requestHash: "other")) == .perform(claim: 1))
        }
    }

    @Test(
        "a stale claim is taken over, and its holder has no say any more", arguments: StoreImplementation.all)
    func takeover(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            #expect(try await claim(scene) == .perform(claim: 1))
            try await scene.advance(89)
            #expect(try await claim(scene) == .running)
            try await scene.advance(1)
            #expect(try await claim(scene) == .perform(claim: 2))
            try await scene.store.giveBack(Self.key, actor: "user/ann", claim: 1)
            try await scene.store.keep(Self.answer, of: Self.key, actor: "user/ann", claim: 1)
            #expect(try await claim(scene) == .running)
            try await scene.store.keep(Self.answer, of: Self.key, actor: "user/ann", claim: 2)
            #expect(try await claim(scene) == .answered(Self.answer))
        }
    }

    @Test("of many at once one performs", arguments: StoreImplementation.all)
    func race(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let claims = try await withThrowingTaskGroup(of: RequestClaim.self) { group in
                for _ in 0..<8 { group.addTask { try await claim(scene) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(claims.count { $0 == .perform(claim: 1) } == 1)
            #expect(claims.count { $0 == .running } == 7)
        }
    }

    @Test(
        "verbs and documents spend the same keys; all are forgotten after a day",
        arguments: StoreImplementation.all)
    func oneNamespace(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let draft = scene.draft(.vm, "web", project: "team", spec: "{}")
            #expect(try await claim(scene) == .perform(claim: 1))
            let create = IdempotencyKey(key: "k", requestHash: "create")
            await #expect(throws: StoreError.idempotencyKeyReused("k")) {
                try await scene.store.create(draft, key: create, context: Scene.user)
            }
            let other = IdempotencyKey(key: "k2", requestHash: "create")
            _ = try await scene.store.create(draft, key: other, context: Scene.user)
            await #expect(throws: StoreError.idempotencyKeyReused("k2")) {
                try await claim(scene, IdempotencyKey(key: "k2", requestHash: "h"))
            }
            try await scene.store.keep(Self.answer, of: Self.key, actor: "user/ann", claim: 1)
            try await scene.advance(86_401)
            try await scene.store.keepHouse()
            #expect(try await claim(scene) == .perform(claim: 1))
        }
    }
}
