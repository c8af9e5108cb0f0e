import Fleet
import Store
import Testing

@Suite("Versions of documents", .postgresServer)
struct HistoryTests {
    private static let spec: @Sendable (PoolSpec.Placement) -> PolicySpec = { score in
        PolicySpec(type: .placement, placement: PlacementRules(score: score))
    }

    private static func set(
        _ scene: Scene, _ name: String, _ score: PoolSpec.Placement, request: String? = nil
    ) async throws {
        let text = try DocumentJSON.encode(spec(score))
        _ = try await scene.store.update(
            .policy, project: nil, name: name, precondition: .none,
            context: WriteContext(actor: "user/bob", requestID: request, verb: "replace")
        ) { $0.spec = text }
    }

    private static func versions(
        _ scene: Scene, _ name: String, before: Int? = nil, limit: Int = 100
    ) async throws -> [DocumentVersion] {
        try await scene.store.versions(
            of: .policy, project: nil, name: name, before: before, limit: limit)
    }

    @Test("every spec is kept with who wrote it, newest first", arguments: StoreImplementation.all)
    func kept(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let made = try await scene.create(.policy, "dense", spec: Self.spec(.firstFit))
            try await scene.create(.policy, "other", spec: Self.spec(.waste))
            try await scene.advance(5)
            try await Self.set(scene, "dense", .bestFit, request: "r2")
            // Labels are no part of a version, and a spec that means the same is none.
            try await scene.update(.policy, "dense") { $0.metadata.labels = ["a": "b"] }
            try await Self.set(scene, "dense", .bestFit)
            try await Self.set(scene, "dense", .firstFit)

            let found = try await Self.versions(scene, "dense")
            #expect(found.map(\.version) == [3, 2, 1])
            #expect(found.map(\.actor) == ["user/bob", "user/bob", "user/ann"])
            #expect(found.map(\.requestID) == [nil, "r2", "r1"])
            #expect(found.map(\.verb) == ["replace", "replace", "create"])
            #expect(found[2].at == made.metadata.createdAt)
            #expect(found[1].at == made.metadata.createdAt.advanced(by: .seconds(5)))
            let scores = try found.map {
                try JSONContent($0.spec)["placement"]?["score"]?.text
            }
            #expect(scores == ["first-fit", "best-fit", "first-fit"])
            #expect(try await scene.document(.policy, "dense").metadata.generation == 3)
            #expect(try await Self.versions(scene, "other").map(\.version) == [1])

            #expect(try await Self.versions(scene, "dense", limit: 2).map(\.version) == [3, 2])
            #expect(try await Self.versions(scene, "dense", before: 2).map(\.version) == [1])
            #expect(try await Self.versions(scene, "dense", before: 1).isEmpty)
            func version(_ number: Int) async throws -> DocumentVersion? {
                try await scene.store.version(number, of: .policy, project: nil, name: "dense")
            }
            #expect(try await version(2) == found[1])
            #expect(try await version(4) == nil)
        }
    }

    @Test("a refused write leaves no version", arguments: StoreImplementation.all)
    func refused(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.policy, "dense", spec: Self.spec(.firstFit))
            await #expect(throws: StoreError.self) {
                try await scene.update(.policy, "dense", precondition: .entityTag("stale")) { $0.spec = "{}" }
            }
            let drafts = [scene.draft(.policy, "new", spec: "{}"), scene.draft(.policy, "dense", spec: "{}")]
            await #expect(throws: StoreError.alreadyExists(kind: .policy, name: "dense")) {
                try await scene.store.create(drafts, context: Scene.user)
            }
            #expect(try await Self.versions(scene, "dense").map(\.version) == [1])
            await #expect(throws: StoreError.notFound(kind: .policy, name: "new")) {
                try await Self.versions(scene, "new")
            }
            await #expect(throws: StoreError.notFound(kind: .policy, name: "new")) {
                try await scene.store.version(1, of: .policy, project: nil, name: "new")
            }
        }
    }

    @Test("versions go with their document", arguments: StoreImplementation.all)
    func deleted(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.policy, "dense", spec: Self.spec(.firstFit))
            try await Self.set(scene, "dense", .bestFit)
            try await scene.delete(.policy, "dense")
            await #expect(throws: StoreError.notFound(kind: .policy, name: "dense")) {
                try await Self.versions(scene, "dense")
            }
            try await scene.create(.policy, "dense", spec: Self.spec(.waste))
            #expect(try await Self.versions(scene, "dense").map(\.version) == [1])
        }
    }

    @Test("exactly the kinds that say so keep their history", arguments: StoreImplementation.all)
    func kinds(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            try await scene.create(.policy, "dense", spec: Self.spec(.firstFit))
            try await scene.create(
                .flavor, "small", spec: FlavorSpec(resources: Resources(milliCPU: 1, memoryMiB: 1)))
            try await scene.create(.model, "general", spec: ModelTests.spec)
            try await scene.createVM("web")
            try await scene.create(
                .vmGroup, "ring", project: "team",
                spec: VMGroupSpec(replicas: 1, template: VMTemplate(spec: VMSpec())))
            try await scene.createJob("train")
            try await scene.create(
                .servingDeployment, "chat", project: "team",
                spec: ServingDeploymentSpec(cell: "a", model: "m"))
            for kind in Kind.allCases where kind.isDocument {
                let page = try await scene.list(ListQuery(kind: kind))
                let metadata = try #require(page.documents.first?.metadata, "\(kind)")
                let versions = try await scene.store.versions(
                    of: kind, project: metadata.project, name: metadata.name, before: nil, limit: 9)
                #expect(versions.isEmpty != kind.keepsHistory, "\(kind)")
            }
        }
    }

    @Test("a policy that a pool names is there and stays", arguments: StoreImplementation.all)
    func references(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let naming = #"{"admits":["vm"],"cell":"a","policies":{"placement":"dense"}}"#
            await #expect(
                throws: StoreError.referenceMissing(
                    field: "spec.policies.placement", kind: .policy, name: "dense")
            ) { try await scene.update(.pool, "p") { $0.spec = naming } }
            await #expect(
                throws: StoreError.referenceMissing(
                    field: "spec.policies.placement", kind: .policy, name: "dense")
            ) { try await scene.store.create([scene.draft(.pool, "q", spec: naming)], context: Scene.user) }

            try await scene.create(.policy, "dense", spec: Self.spec(.firstFit))
            try await scene.update(.pool, "p") { $0.spec = naming }
            await #expect(throws: StoreError.inUse(kind: .policy, name: "dense", by: "Pool p")) {
                try await scene.delete(.policy, "dense")
            }
            // A pool of that name is no reason to keep a policy.
            try await scene.create(.policy, "p", spec: Self.spec(.firstFit))
            #expect(try await scene.delete(.policy, "p").removed)
            try await scene.update(.pool, "p") { $0.spec = #"{"admits":["vm"],"cell":"a"}"# }
            #expect(try await scene.delete(.policy, "dense").removed)
        }
    }
}
