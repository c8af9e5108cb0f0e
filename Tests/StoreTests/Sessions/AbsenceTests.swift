import AgentProtocol
import Fleet
import Store
import Testing

/// Nothing is stopped, released, deleted or fenced because it is missing from what somebody says.
@Suite("Absence", .postgresServer)
struct AbsenceTests {
    private func status(_ name: String, _ scene: Scene) async throws -> HostStatus {
        try DocumentJSON.decode(HostStatus.self, from: try await scene.document(.host, name).status)
    }

    @Test("many hosts missing from a hello are not fenced", arguments: StoreImplementation.all)
    func shrinking(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 6) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("v1", on: "h5", lease: lease, onPartition: .stop)
            let session = try await scene.session().id
            try await scene.hello(session, (1...2).map { scene.hostHello("h\($0)") })
            #expect(
                try await scene.events(.inventoryShrank).map(\.name).sorted() == ["h3", "h4", "h5", "h6"])
            try await judge(60, scene, lease)
            let host = try await scene.host("h5")
            #expect(host.contact == .suspect)
            #expect(try await status("h5", scene).conditions.first { $0.type == .held }?.status == .yes)
            let freed = try await scene.store.releaseFenced(
                host: host.id, everything: false, lease: lease, context: Scene.user)
            #expect(freed.isEmpty)
            #expect(try await scene.allocation(placed.id).state == .reserved)

            // One that is named again is as any other, and one that a person confirms is fenced.
            try await scene.hello(session, (1...3).map { scene.hostHello("h\($0)") })
            #expect(try await scene.host("h3").contact == .ready)
            #expect(try await status("h3", scene).conditions.first { $0.type == .held }?.status == .no)
            let confirmed = try await scene.store.releaseFenced(
                host: host.id, everything: true, lease: lease, context: Scene.user)
            #expect(confirmed == [placed.id])
            #expect(try await scene.host("h5").contact == .fenced)
            #expect(try await scene.store.resetBreaker(cell: "a", zone: "", context: Scene.user) == 2)
            try await judge(5, scene, lease)
            #expect(try await scene.host("h4").contact == .fenced)
        }
    }

    /// Lets time pass with judgements while session `s1` renews.
    private func judge(_ seconds: Int, _ scene: Scene, _ lease: CellLease) async throws {
        for _ in stride(from: 0, to: seconds, by: 5) {
            try await scene.advance(5)
            try await scene.report(sequence: 0)
            try await scene.judge(lease, breaker: 1)
        }
    }

    @Test("a few missing hosts run out by themselves", arguments: StoreImplementation.all)
    func few(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 6) { scene in
            let lease = try await scene.lease()
            let session = try await scene.session().id
            try await scene.hello(session, (1...4).map { scene.hostHello("h\($0)") })
            #expect(try await scene.events(.inventoryShrank).isEmpty)
            try await judge(60, scene, lease)
            #expect(try await scene.host("h6").contact == .fenced)
        }
    }

    @Test(
        "a hello without parts, as after the loss of an agent's state, releases nothing",
        arguments: StoreImplementation.all)
    func emptyHello(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("v1", lease: lease)
            try await scene.report([scene.part(placed.id, .running)], sequence: 1)
            try await scene.hello(try await scene.session().id, [scene.hostHello("h1")])
            #expect(try await scene.allocation(placed.id).state == .active)
            let listed = try await scene.store.assignments(hosts: [placed.host], known: [:])
            #expect(listed.flatMap(\.allocations).map(\.id) == [placed.id])
            // And neither does one without any host.
            try await scene.hello(try await scene.session().id, [])
            #expect(try await scene.allocation(placed.id).state == .active)
            #expect(try await scene.host().room.sharedMilliCPU == 1000)
        }
    }

    @Test("a device that an allocation holds stays with its host", arguments: StoreImplementation.all)
    func devices(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("v1", lease: lease, devices: ["GPU-h1-0"])
            let session = try await scene.session().id
            try await scene.hello(session, [scene.hostHello("h1", devices: [])])
            #expect(try await scene.host().takenDevices == ["GPU-h1-0"])
            #expect(try await scene.allocation(placed.id).devices == ["GPU-h1-0"])
            #expect(try await scene.events(.devicesMissing).count == 1)
            // Nobody else may claim it meanwhile; the free one has gone.
            let other = try await scene.join("s2", pattern: "x*")
            let held = try await scene.hello(other, [scene.hostHello("x1", devices: ["GPU-h1-0"])])
            #expect(held.refused.map(\.name) == ["x1"])
            let free = try await scene.hello(other, [scene.hostHello("x1", devices: ["GPU-h1-1"])])
            #expect(free.refused.isEmpty)
        }
    }

    @Test("a copy that runs on after its release is told to stop", arguments: StoreImplementation.all)
    func strays(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("v1", lease: lease)
            try await scene.report([scene.part(placed.id, .running)], sequence: 1)
            for _ in 0..<10 {
                try await scene.advance(5)
                try await scene.judge(lease, breaker: 1)
            }
            _ = try await scene.store.releaseFenced(
                host: placed.host, everything: true, lease: lease, context: Scene.user)
            let before = try await scene.host()
            #expect(before.contact == .fenced)
            #expect(try await listed(scene).isEmpty)

            // The machine was not off: it comes back and runs the part still.
            try await scene.hello(
                try await scene.session().id,
                [scene.hostHello("h1", parts: [scene.part(placed.id, .running)])])
            let after = try await scene.host()
            #expect(after.contact == .ready && after.assignment > before.assignment)
            #expect(try await listed(scene).map(\.state) == [.released])
            #expect(after.room.sharedMilliCPU == 0)
            try await scene.report([scene.part(placed.id, .running)], sequence: 1)
            #expect(try await scene.host().assignment == after.assignment)
            try await scene.report([scene.part(placed.id, .stopped)], sequence: 2)
            #expect(try await listed(scene).isEmpty)
            #expect(try await scene.host().assignment == after.assignment + 1)
            #expect(try await scene.events(.stopped).map(\.name) == ["v1"])
        }
    }

    private func listed(_ scene: Scene) async throws -> [Allocation] {
        let host = try await scene.host().id
        return try await scene.store.assignments(hosts: [host], known: [:]).flatMap(\.allocations)
    }
}
