import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Releasing what a fenced host held", .postgresServer)
struct FenceTests {
    private func fence(_ scene: Scene, _ lease: CellLease) async throws {
        for _ in 0..<10 {
            try await scene.advance(5)
            try await scene.judge(lease, breaker: 1)
        }
        #expect(try await scene.host().contact == .fenced)
    }

    @Test("of a fenced host only what stops by itself is released", arguments: StoreImplementation.all)
    func fenced(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let keeps = try await scene.place("keeps", lease: lease)
            let stops = try await scene.place(
                "stops", lease: lease, devices: ["GPU-h1-0"], onPartition: .stop)
            let before = try await scene.host()
            let early = try await scene.store.releaseFenced(
                host: before.id, everything: false, lease: lease, context: Scene.user)
            #expect(early.isEmpty)
            try await fence(scene, lease)
            let released = try await scene.store.releaseFenced(
                host: before.id, everything: false, lease: lease, context: Scene.user)
            #expect(released == [stops.id])
            let host = try await scene.host()
            #expect(host.assignment == before.assignment + 1 && host.takenDevices.isEmpty)
            #expect(host.room.sharedMilliCPU == 1000)
            #expect(try await scene.usage(.milliCPU) == 1000)
            #expect(try await scene.allocation(keeps.id).state == .reserved)
            #expect(try await scene.events(.hostFenced, kind: .vm).map(\.name) == ["stops"])
            let again = try await scene.store.releaseFenced(
                host: before.id, everything: false, lease: lease, context: Scene.user)
            #expect(again.isEmpty)
            #expect(try await scene.host().assignment == host.assignment)
        }
    }

    @Test("an operator's confirmation releases everything", arguments: StoreImplementation.all)
    func confirmed(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease()
            let placed = [
                try await scene.place("v1", lease: lease), try await scene.place("v2", lease: lease),
            ]
            let host = try await scene.host().id
            let context = WriteContext(actor: "user/ann", verb: "fence")
            let released = try await scene.store.releaseFenced(
                host: host, everything: true, lease: lease, context: context)
            #expect(released == placed.map(\.id))
            #expect(try await scene.host().room.sharedMilliCPU == 0)
            let row = try await scene.audit().first
            #expect(row?.verb == "fence" && row?.name == "h1")
            await #expect(throws: StoreError.self) {
                try await scene.store.releaseFenced(
                    host: scene.ids.id(), everything: true, lease: lease, context: context)
            }
        }
    }
}
