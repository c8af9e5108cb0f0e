import Fleet
import Store
import Testing

@Suite("Creating documents", .postgresServer)
struct CreateTests {
    @Test("a document is read back as it was created", arguments: StoreImplementation.all)
    func roundTrip(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let draft = scene.draft(
                .vm, "web", project: "team", spec: #"{"pool":"p"}"#, labels: ["tier": "front"],
                finalizers: [Finalizer.allocations], status: #"{"state":"Pending"}"#)
            let created = try #require(try await scene.store.create([draft], context: Scene.user).first)
            #expect(created.metadata.uid == draft.uid)
            #expect(created.metadata.generation == 1 && created.metadata.revision == 1)
            #expect(created.metadata.createdAt == Scene.start)
            #expect(created.metadata.labels == ["tier": "front"])
            #expect(created.metadata.finalizers == [Finalizer.allocations])
            #expect(try JSONContent(created.spec) == JSONContent(draft.spec))
            #expect(try JSONContent(created.status) == JSONContent(draft.status))
            let read = try await scene.document(.vm, "web", project: "team")
            #expect(read.canonical == created.canonical)
            #expect(try await scene.store.documents(.vm, uids: [draft.uid, scene.ids.id()]) == [read])
            #expect(try await scene.store.document(.vm, project: "other", name: "web") == nil)
        }
    }

    @Test("all drafts are created or none", arguments: StoreImplementation.all)
    func allOrNone(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let before = try await scene.feedPosition()
            let drafts = [
                scene.draft(.vm, "one", project: "team", spec: "{}"),
                scene.draft(.cell, "a", spec: "{}"),
            ]
            await #expect(throws: StoreError.alreadyExists(kind: .cell, name: "a")) {
                try await scene.store.create(drafts, context: Scene.user)
            }
            #expect(try await scene.store.document(.vm, project: "team", name: "one") == nil)
            #expect(try await scene.feed(after: before, limit: 10).entries.isEmpty)
        }
    }

    @Test("a draft may refer to an earlier one of the same call", arguments: StoreImplementation.all)
    func referenceWithinCall(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let drafts = [
                scene.draft(.cell, "b", spec: "{}"),
                scene.draft(.pool, "q", spec: #"{"cell":"b","admits":["vm"]}"#),
            ]
            let created = try await scene.store.create(drafts, context: Scene.user)
            #expect(created.map(\.metadata.name) == ["b", "q"])
        }
    }

    @Test("a missing reference is named by its field", arguments: StoreImplementation.all)
    func missingReferences(_ implementation: StoreImplementation) async throws {
        let cases: [(Kind, String?, String, String, Kind, String)] = [
            (.pool, nil, #"{"cell":"zz","admits":["vm"]}"#, "spec.cell", .cell, "zz"),
            (.host, nil, #"{"cell":"zz","pool":"p"}"#, "spec.cell", .cell, "zz"),
            (.host, nil, #"{"cell":"a","pool":"zz"}"#, "spec.pool", .pool, "zz"),
            (.vm, "zz", "{}", "metadata.project", .project, "zz"),
            (.vm, "team", #"{"cell":"zz"}"#, "spec.cell", .cell, "zz"),
            (.vm, "team", #"{"pool":"zz"}"#, "spec.pool", .pool, "zz"),
            (.vm, "team", #"{"flavor":"zz"}"#, "spec.flavor", .flavor, "zz"),
        ]
        try await Scene.run(implementation) { scene in
            for (kind, project, spec, field, target, name) in cases {
                let draft = scene.draft(kind, "new", project: project, spec: spec)
                await #expect(throws: StoreError.referenceMissing(field: field, kind: target, name: name)) {
                    try await scene.store.create([draft], context: Scene.user)
                }
            }
        }
    }

    @Test("a key creates once per actor and replays the first version", arguments: StoreImplementation.all)
    func idempotency(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let key = IdempotencyKey(key: "k1", requestHash: "h1")
            let draft = scene.draft(.vm, "web", project: "team", spec: "{}")
            let first = try await scene.store.create(draft, key: key, context: Scene.user)
            #expect(!first.replayed)
            try await scene.update(.vm, "web", project: "team") { $0.metadata.labels = ["a": "b"] }
            var again = draft
            again.uid = scene.ids.id()
            let second = try await scene.store.create(again, key: key, context: Scene.user)
            #expect(second.replayed && second.resource == first.resource)
            await #expect(throws: StoreError.idempotencyKeyReused("k1")) {
                try await scene.store.create(
                    draft, key: IdempotencyKey(key: "k1", requestHash: "h2"), context: Scene.user)
            }
            let bob = WriteContext(actor: "user/bob", verb: "create")
            await #expect(throws: StoreError.alreadyExists(kind: .vm, name: "web")) {
                try await scene.store.create(again, key: key, context: bob)
            }
        }
    }

    @Test("a refused create does not spend its key", arguments: StoreImplementation.all)
    func refusedKey(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let key = IdempotencyKey(key: "k1", requestHash: "h1")
            let bad = scene.draft(.vm, "web", project: "zz", spec: "{}")
            await #expect(throws: StoreError.self) {
                try await scene.store.create(bad, key: key, context: Scene.user)
            }
            try await scene.create(.project, "zz", spec: ProjectSpec())
            #expect(try await !scene.store.create(bad, key: key, context: Scene.user).replayed)
        }
    }

    @Test("a key is forgotten after a day", arguments: StoreImplementation.all)
    func forgottenKeys(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let key = IdempotencyKey(key: "k1", requestHash: "h1")
            let draft = scene.draft(.vm, "web", project: "team", spec: "{}")
            _ = try await scene.store.create(draft, key: key, context: Scene.user)
            try await scene.advance(86_400)
            try await scene.store.keepHouse()
            #expect(try await scene.store.create(draft, key: key, context: Scene.user).replayed)
            try await scene.advance(1)
            try await scene.store.keepHouse()
            await #expect(throws: StoreError.alreadyExists(kind: .vm, name: "web")) {
                try await scene.store.create(draft, key: key, context: Scene.user)
            }
        }
    }

    @Test("every mutation leaves one audit row", arguments: StoreImplementation.all)
    func audit(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let before = try await scene.audit().count
            try await scene.createVM("web")
            try await scene.update(.vm, "web", project: "team") { $0.metadata.labels = ["a": "b"] }
            try await scene.update(.vm, "web", project: "team") { _ in }
            try await scene.delete(.vm, "web", project: "team")
            let rows = try await scene.audit()
            #expect(rows.count == before + 3)
            #expect(rows.prefix(3).map(\.verb) == ["delete", "update", "create"])
            #expect(rows.first?.actor == "user/ann" && rows.first?.name == "web")
            #expect(rows.dropFirst(2).first?.requestID == "r1")
        }
    }

    @Test("a project has its quota rows, a host its ledger row", arguments: StoreImplementation.all)
    func ledgerRows(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            try await scene.create(.project, "abc", spec: ProjectSpec(quota: Quota(milliCPU: 5000)))
            let rows = try await scene.store.quotas().filter { $0.project == "abc" }
            #expect(rows.map(\.resource) == [.devices, .memoryMiB, .milliCPU])
            #expect(rows.map(\.limit) == [nil, nil, 5000])
            try await scene.create(.host, "h9", spec: HostSpec(cell: "a", pool: "p"), labels: ["gen": "9"])
            let host = try await scene.host("h9")
            #expect(host.generation == 1 && host.assignment == 0 && host.session == nil)
            #expect(host.contact == .suspect && host.labels == ["gen": "9"])
        }
    }
}
