import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Deleting documents", .postgresServer)
struct DeleteTests {
    @Test("without finalizers a document is gone at once", arguments: StoreImplementation.all)
    func removal(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let vm = try await scene.createVM("web", finalizers: [])
            let position = try await scene.feedPosition()
            let deleted = try await scene.delete(.vm, "web", project: "team")
            #expect(deleted.removed && deleted.resource.metadata.uid == vm.metadata.uid)
            #expect(try await scene.store.document(.vm, project: "team", name: "web") == nil)
            let entries = try await scene.feed(after: position, limit: 9).entries
            #expect(entries.map(\.change) == [.deleted])
            #expect(entries.first?.final == deleted.resource)
            #expect(entries.first?.cursor.text == deleted.resource.metadata.resourceVersion)
            #expect(try await scene.events(.deleted, name: "web").count == 1)
            await #expect(throws: StoreError.notFound(kind: .vm, name: "web")) {
                try await scene.delete(.vm, "web", project: "team")
            }
        }
    }

    @Test("with finalizers a document is marked, once", arguments: StoreImplementation.all)
    func marking(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let vm = try await scene.createVM("web")
            try await scene.advance(1)
            let marked = try await scene.delete(.vm, "web", project: "team")
            #expect(!marked.removed)
            #expect(marked.resource.metadata.deletionTimestamp == Scene.start.advanced(by: .seconds(1)))
            #expect(marked.resource.metadata.revision == vm.metadata.revision + 1)
            try await scene.advance(1)
            let again = try await scene.delete(.vm, "web", project: "team")
            #expect(!again.removed && again.resource == marked.resource)
            #expect(try await scene.events(.deletionRequested).count == 1)
            await #expect(throws: StoreError.beingDeleted(kind: .vm, name: "web")) {
                try await scene.update(.vm, "web", project: "team") { $0.spec = "{}" }
            }
        }
    }

    @Test("what others refer to stays", arguments: StoreImplementation.all)
    func inUse(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            try await scene.create(
                .flavor, "small", spec: FlavorSpec(resources: Resources(milliCPU: 1, memoryMiB: 1)))
            let lease = try await scene.lease()
            try await scene.place("web", lease: lease)
            try await scene.createVM("thin", spec: VMSpec(flavor: "small"), finalizers: [])
            for (kind, name) in [
                (Kind.cell, "a"), (.pool, "p"), (.host, "h1"), (.project, "team"), (.flavor, "small"),
            ] {
                let error = await #expect(throws: StoreError.self) { try await scene.delete(kind, name) }
                guard case .inUse(kind, name, _) = error else {
                    Issue.record("\(kind) \(name): \(String(describing: error))")
                    continue
                }
            }
            try await scene.delete(.vm, "thin", project: "team")
            #expect(try await scene.delete(.flavor, "small").removed)
        }
    }

    @Test("a VM without finalizers is held by its allocations", arguments: StoreImplementation.all)
    func heldByAllocation(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let vm = try await scene.createVM("web", finalizers: [])
            let directive = scene.allocate(vm, on: try await scene.host())
            let lease = try await scene.lease()
            try await scene.commit([[.allocate(directive)]], lease: lease)
            await #expect(throws: StoreError.self) { try await scene.delete(.vm, "web", project: "team") }
            try await scene.report([scene.part(directive.allocation.id, .stopped)], sequence: 1)
            #expect(try await scene.delete(.vm, "web", project: "team").removed)
        }
    }

    @Test("a deleted host and project leave no rows", arguments: StoreImplementation.all)
    func rows(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            try await scene.delete(.host, "h1")
            #expect(try await scene.store.hosts(.all).map(\.name) == ["h2"])
            #expect(try await scene.store.hosts(.session(try await scene.session().id)).count == 1)
            try await scene.delete(.project, "team")
            #expect(try await scene.store.quotas().isEmpty)
        }
    }

    @Test(
        "finalize removes marked workloads whose parts are all released", arguments: StoreImplementation.all)
    func finalize(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let held = try await scene.place("held", lease: lease)
            let idle = try await scene.createVM("idle")
            let kept = try await scene.createVM("kept")
            for name in ["held", "idle"] { try await scene.delete(.vm, name, project: "team") }
            let all = [held.workload.uid, idle.metadata.uid, kept.metadata.uid, scene.ids.id()]
            #expect(try await scene.store.finalize(all, lease: lease) == [idle.metadata.uid])
            try await scene.report([scene.part(held.id, .stopped)], sequence: 1)
            let position = try await scene.feedPosition()
            #expect(try await scene.store.finalize(all, lease: lease) == [held.workload.uid])
            let entry = try await scene.feed(after: position, limit: 9).entries.first
            #expect(entry?.change == .deleted && entry?.final?.metadata.name == "held")
            #expect(try await scene.events(.deleted).map(\.name) == ["idle", "held"])
            #expect(try await scene.store.document(.vm, project: "team", name: "kept") != nil)
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                try await scene.store.finalize(all, lease: CellLease(cell: "a", token: lease.token + 1))
            }
        }
    }
}
