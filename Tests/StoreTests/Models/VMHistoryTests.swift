import AgentProtocol
import Fleet
import Store
import Testing

@Suite("The history of VMs", .postgresServer)
struct VMHistoryTests {
    /// Places a VM with labels and a hint.
    private static func place(
        _ scene: Scene, _ name: String, on host: String = "h1", lease: CellLease
    ) async throws -> (vm: Resource, allocation: Allocation) {
        let vm = try await scene.create(
            .vm, name, project: "team", spec: VMSpec(cell: "a", lifetimeHintSeconds: 60),
            labels: ["app": name], finalizers: [Finalizer.allocations])
        let directive = scene.allocate(vm, on: try await scene.host(host), milliCPU: 2000)
        try #require(try await scene.commit([[.allocate(directive)]], lease: lease).refusals.isEmpty)
        return (vm, try await scene.allocation(directive.allocation.id))
    }

    private static func end(
        _ scene: Scene, _ vm: Resource, _ allocation: Allocation, lease: CellLease, sequence: Int,
        host: String = "h1"
    ) async throws {
        _ = try await scene.store.delete(
            .vm, project: "team", name: vm.metadata.name, precondition: .none, context: Scene.user)
        try await scene.commit([[scene.release(allocation.id)]], lease: lease)
        try await scene.report([scene.part(allocation.id, .stopped, host: host)], sequence: sequence)
        #expect(try await scene.store.finalize([vm.metadata.uid], lease: lease) == [vm.metadata.uid])
    }

    @Test("what ended and what runs, in the order of ids", arguments: StoreImplementation.all)
    func pages(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let one = try await Self.place(scene, "one", lease: lease)
            let two = try await Self.place(scene, "two", on: "h2", lease: lease)
            try await scene.createVM("never", spec: VMSpec(cell: "a"))
            try await scene.advance(10)
            try await Self.end(scene, one.vm, one.allocation, lease: lease, sequence: 1)

            let all = try await scene.store.vmHistory(VMHistoryQuery())
            #expect(all.map(\.name) == ["one", "two"])
            let ended = try #require(all.first)
            let state = try await scene.store.clusterState()
            let start = state.fleetTime(at: one.allocation.createdAt)
            #expect(ended.startedAt == start && ended.endedAt == start.advanced(by: .seconds(10)))
            #expect(
                ended.stays == [.init(host: "h1", from: start, until: start.advanced(by: .seconds(10)))])
            #expect(ended.labels == ["app": "one"] && ended.lifetimeHintSeconds == 60)
            #expect(ended.resources == Resources(milliCPU: 2000, memoryMiB: 1024))
            #expect(ended.project == "team" && ended.cell == "a" && ended.pool == "p")
            let running = try #require(all.last)
            #expect(running.endedAt == nil && running.stays.map(\.until) == [nil])

            func names(_ query: VMHistoryQuery) async throws -> [String] {
                try await scene.store.vmHistory(query).map(\.name)
            }
            #expect(try await names(.init(order: .newestFirst)) == ["two", "one"])
            #expect(try await names(.init(order: .newestFirst, limit: 1)) == ["two"])
            #expect(try await names(.init(limit: 1)) == ["one"])
            #expect(try await names(.init(order: .oldestFirst(after: ended.uid))) == ["two"])
            #expect(try await names(.init(since: start.advanced(by: .seconds(11)))) == ["two"])
            #expect(try await names(.init(since: start.advanced(by: .seconds(10)))) == ["one", "two"])
            for (cell, pool, count) in [("a", "p", 2), ("b", "p", 0), ("a", "q", 0)] {
                #expect(try await names(.init(cell: cell, pool: pool)).count == count)
            }
            // It keeps its place when it ends.
            try await Self.end(scene, two.vm, two.allocation, lease: lease, sequence: 2, host: "h2")
            #expect(try await names(.init(order: .oldestFirst(after: ended.uid))) == ["two"])
        }
    }

    @Test("a VM that moved has several stays and one life", arguments: StoreImplementation.all)
    func moves(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (vm, first) = try await Self.place(scene, "one", lease: lease)
            try await scene.commit([[scene.release(first.id)]], lease: lease)
            try await scene.advance(5)
            try await scene.report([scene.part(first.id, .stopped)], sequence: 1)
            var next = scene.allocate(vm, on: try await scene.host("h2"), milliCPU: 2000)
            next.allocation.createdAt = Scene.start.advanced(by: .seconds(7))
            try await scene.commit([[.allocate(next)]], lease: lease)
            let found = try #require(try await scene.store.vmHistory(.init()).first)
            #expect(found.stays.map(\.host) == ["h1", "h2"] && found.endedAt == nil)
            #expect(found.stays.map { $0.until == nil } == [false, true])
        }
    }

    @Test("what ended long ago is forgotten", arguments: StoreImplementation.all)
    func pruned(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease(seconds: 1e7)
            let (vm, allocation) = try await Self.place(scene, "one", lease: lease)
            try await Self.end(scene, vm, allocation, lease: lease, sequence: 1)
            _ = try await Self.place(scene, "two", lease: lease)
            try await scene.store.keepHouse()
            #expect(try await scene.store.vmHistory(.init()).count == 2)
            try await scene.advance(46 * 86_400)
            try await scene.store.keepHouse()
            #expect(try await scene.store.vmHistory(.init()).map(\.name) == ["two"])
        }
    }
}
