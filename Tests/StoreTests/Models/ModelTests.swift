import Fleet
import Store
import Testing

@Suite("Models of lifetimes", .postgresServer)
struct ModelTests {
    static let spec = ModelSpec(
        form: .gbdt, features: ["uptime"],
        training: .init(
            fromSeconds: 0, untilSeconds: 9, vms: 3, censored: 1, examples: 7, dataHash: "0123456789abcdef"),
        metrics: .init(trees: 2, trainingErrorPerMille: 400, validationErrorPerMille: 500),
        capSeconds: 604_800, bytes: 7, checksum: "00")
    private static let file = "{\"a\": 1.50, \"b\":\"é\\\"\" }\n"

    private static func create(
        _ scene: Scene, _ name: String, lease: CellLease? = nil, isTrial: Bool = false
    ) async throws -> Resource {
        try await scene.store.createModel(
            scene.draft(.model, name, spec: try DocumentJSON.encode(spec)), file: file, lease: lease,
            context: Scene.user, isTrial: isTrial)
    }

    private static func change(
        _ scene: Scene, _ statuses: [(Resource, ModelStatus.State)], expecting others: [Resource] = [],
        lease: CellLease? = nil, isTrial: Bool = false
    ) async throws -> Bool {
        var change = ModelChange(expected: [:], statuses: [:], events: [], subject: "it")
        for (model, state) in statuses {
            change.statuses[model.metadata.uid] = try DocumentJSON.encode(ModelStatus(state: state))
            change.events.append(
                EventDraft(
                    kind: .model, project: nil, name: model.metadata.name, uid: model.metadata.uid,
                    reason: .modelPromoted, message: "m", source: "s"))
        }
        for model in statuses.map(\.0) + others {
            change.expected[model.metadata.uid] = model.metadata.resourceVersion
        }
        return try await scene.store.changeModels(
            change, lease: lease, context: WriteContext(actor: "user/bob", verb: "promote"), isTrial: isTrial)
    }

    private static func state(_ scene: Scene, _ name: String) async throws -> String? {
        try JSONContent(try await scene.document(.model, name).status)["state"]?.text
    }

    @Test("a file is kept to the byte, and goes with its document", arguments: StoreImplementation.all)
    func files(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let trial = try await Self.create(scene, "one", isTrial: true)
            #expect(try await scene.store.document(.model, project: nil, name: "one") == nil)
            #expect(try await scene.store.modelFile(trial.metadata.uid) == nil)
            let made = try await Self.create(scene, "one")
            #expect(try await scene.store.modelFile(made.metadata.uid) == Self.file)
            let found = try await scene.document(.model, "one")
            #expect(try DocumentJSON.decode(ModelSpec.self, from: found.spec) == Self.spec)
            #expect(found.metadata == made.metadata)
            await #expect(throws: StoreError.alreadyExists(kind: .model, name: "one")) {
                try await Self.create(scene, "one")
            }
            _ = try await scene.store.delete(
                .model, project: nil, name: "one", precondition: .none, context: Scene.user)
            #expect(try await scene.store.modelFile(made.metadata.uid) == nil)
        }
    }

    @Test("statuses change together, from the versions that were seen", arguments: StoreImplementation.all)
    func changes(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            var (one, two) = (try await Self.create(scene, "one"), try await Self.create(scene, "two"))
            #expect(try await Self.change(scene, [(one, .promoted)], isTrial: true))
            #expect(try await Self.state(scene, "one") == nil)
            let position = try await scene.feedPosition()
            #expect(try await Self.change(scene, [(one, .promoted)]))
            let entries = try await scene.feed(after: position, limit: 9).entries
            #expect(entries.map(\.name) == ["one"] && entries.first?.kind == .model)
            #expect(try await scene.events(.modelPromoted).map(\.name) == ["one"])
            let audit = try await scene.store.audit(AuditQuery(verb: "promote"))
            #expect(audit.map(\.name) == ["it"] && audit.first?.actor == "user/bob")

            // Stale, or blind for the one that is promoted: nothing is written.
            #expect(try await !Self.change(scene, [(one, .retired)]))
            #expect(try await !Self.change(scene, [(two, .promoted)]))
            #expect(try await Self.state(scene, "two") == nil)
            one = try await scene.document(.model, "one")
            #expect(try await Self.change(scene, [(one, .retired), (two, .promoted)]))
            #expect(try await Self.state(scene, "one") == "retired")
            two = try await scene.document(.model, "two")
            #expect(try await Self.state(scene, "two") == "promoted")
            #expect(two.metadata.generation == 1 && two.metadata.revision == 1)
        }
    }

    @Test("a promoted model is not deleted", arguments: StoreImplementation.all)
    func kept(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let one = try await Self.create(scene, "one")
            #expect(try await Self.change(scene, [(one, .promoted)]))
            await #expect(throws: StoreError.inUse(kind: .model, name: "one", by: "its promotion")) {
                _ = try await scene.store.delete(
                    .model, project: nil, name: "one", precondition: .none, context: Scene.user)
            }
            #expect(try await scene.store.modelFile(one.metadata.uid) == Self.file)
        }
    }

    @Test("whoever lost the lease keeps and changes nothing", arguments: StoreImplementation.all)
    func fenced(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let one = try await Self.create(scene, "one")
            let old = try await scene.lease(seconds: 1)
            try await scene.advance(2)
            let lease = try await scene.lease(holder: "c2")
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                try await Self.create(scene, "two", lease: old)
            }
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                try await Self.change(scene, [(one, .promoted)], lease: old)
            }
            _ = try await Self.create(scene, "two", lease: lease)
            #expect(try await Self.change(scene, [(one, .promoted)], lease: lease))
        }
    }

    @Test("of two promotions at once one is told to look again", arguments: StoreImplementation.all)
    func together(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            var models: [Resource] = []
            for index in 0..<4 { models.append(try await Self.create(scene, "m\(index)")) }
            let done = try await withThrowingTaskGroup(of: Bool.self) { group in
                for model in models {
                    group.addTask { try await Self.change(scene, [(model, .promoted)]) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(done == 1)
        }
    }
}
