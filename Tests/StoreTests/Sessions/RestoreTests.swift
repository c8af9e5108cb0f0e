import AgentProtocol
import Fleet
import PostgresClient
import Store
import Testing

/// What holds after the epoch was raised, because the database went back in time.
@Suite("A new epoch", .postgresServer)
struct RestoreTests {
    private func listed(_ scene: Scene, _ host: String = "h1") async throws -> [ID<Allocation>] {
        let records = try await scene.store.assignments(hosts: [try await scene.host(host).id], known: [:])
        return records.flatMap(\.allocations).map(\.id)
    }

    @Test("no lease of the older epoch counts, whatever its token", arguments: StoreImplementation.all)
    func leases(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let old = try await scene.lease()
            #expect(try await scene.store.raiseEpoch(quarantine: .seconds(600)) == 2)
            await #expect(throws: StoreError.leaseLost(cell: "a")) { try await scene.judge(old) }
            let new = try await scene.lease(holder: "c2")
            // The lost time may have given out many.
            #expect(new.token > old.token + 1_000_000)
            try await scene.judge(new)
        }
    }

    @Test(
        "a host takes nothing before its session says hello in the epoch", arguments: StoreImplementation.all)
    func suspects(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            try await scene.advance(1)
            _ = try await scene.store.raiseEpoch(quarantine: .seconds(600))
            let lease = try await scene.lease()
            try await scene.report(sequence: 1)
            #expect(try await scene.judge(lease).returned.isEmpty)
            #expect(try await scene.host().contact == .suspect)
            #expect(try await scene.session().epoch == 1)
            try await scene.hello(try await scene.session().id, [scene.hostHello("h1")])
            #expect(try await scene.session().epoch == 2)
            #expect(try await scene.host().contact == .ready)
        }
    }

    @Test("what was there before is not started while others may run it", arguments: StoreImplementation.all)
    func withheld(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            var lease = try await scene.lease()
            let before = try await scene.place("before", lease: lease)
            try await scene.report([scene.part(before.id, .running)], sequence: 1)
            try await scene.advance(1)
            _ = try await scene.store.raiseEpoch(quarantine: .seconds(600))
            let session = try await scene.session().id
            try await scene.hello(session, ["h1", "h2"].map { scene.hostHello($0) })
            #expect(try await listed(scene).isEmpty)
            #expect(try await scene.allocation(before.id).state == .active)
            lease = try await scene.lease()
            let after = try await scene.place("after", lease: lease)
            #expect(try await listed(scene) == [after.id])
            try await scene.judge(lease)
            #expect(try await listed(scene) == [after.id])

            try await scene.advance(601)
            try await scene.report(sequence: 1)
            let assignment = try await scene.host().assignment
            lease = try await scene.lease()
            try await scene.judge(lease)
            #expect(try await listed(scene) == [before.id, after.id].sorted())
            #expect(try await scene.host().assignment == assignment + 1)
            #expect(try await scene.events(.quarantineEnded).map(\.name) == ["a"])
            try await scene.judge(lease)
            #expect(try await scene.host().assignment == assignment + 1)
        }
    }

    @Test("a quarantined copy is adopted", arguments: StoreImplementation.all)
    func adoption(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let id: ID<Allocation> = scene.ids.id()
            let directive = scene.orphan(id)
            try await scene.report([scene.part(id, .running, directive: directive)], sequence: 1)
            let found = try await scene.allocation(id)
            #expect(found.quarantined)
            await #expect(throws: StoreError.notFound(kind: .vm, name: "lost")) {
                try await scene.store.adopt(id, draft: nil, context: Scene.user)
            }
            var draft = scene.draft(
                .vm, "lost", project: "team", spec: try DocumentJSON.encode(VMSpec(cell: "a")),
                finalizers: [Finalizer.allocations])
            draft.uid = found.workload.uid
            let before = try await scene.host()
            let adopted = try await scene.store.adopt(id, draft: draft, context: Scene.user)
            #expect(!adopted.quarantined && adopted.state == .active)
            #expect(try await scene.document(.vm, "lost", project: "team").metadata.uid == found.workload.uid)
            let after = try await scene.host()
            #expect(after.room == before.room && after.assignment == before.assignment + 1)
            #expect(try await scene.usage(.milliCPU) == 2000)
            #expect(try await scene.events(.adopted).map(\.name) == ["lost"])
            #expect(try await scene.store.adopt(id, draft: nil, context: Scene.user) == adopted)
            #expect(try await scene.events(.adopted).count == 1)
            await #expect(throws: StoreError.self) {
                try await scene.store.stop(id, context: Scene.user)
            }
            await #expect(throws: StoreError.self) {
                try await scene.store.adopt(scene.ids.id(), draft: nil, context: Scene.user)
            }
        }
    }

    @Test("of two copies a person chooses the writer", arguments: StoreImplementation.all)
    func copies(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let listedCopy = try await scene.place("web", on: "h1", lease: lease)
            let copy: ID<Allocation> = scene.ids.id()
            var directive = scene.orphan(copy, name: "web")
            directive.workload = listedCopy.workload
            // It moved to h2 in the time that was lost.
            try await scene.report(
                [scene.part(copy, .running, host: "h2", directive: directive)], sequence: 1)
            #expect(try await listed(scene, "h1").isEmpty)
            #expect(try await listed(scene, "h2") == [copy])
            let writer = "allocation \(listedCopy.id)"
            await #expect(
                throws: StoreError.inUse(kind: .allocation, name: copy.description, by: writer)
            ) { try await scene.store.adopt(copy, draft: nil, context: Scene.user) }

            let stopped = try await scene.store.stop(listedCopy.id, context: Scene.user)
            #expect(stopped.state == .releasing)
            #expect(try await listed(scene, "h1") == [listedCopy.id])
            try await scene.report([scene.part(listedCopy.id, .stopped)], sequence: 2)
            #expect(try await scene.store.adopt(copy, draft: nil, context: Scene.user).quarantined == false)
            #expect(try await scene.allocation(listedCopy.id).state == .released)
        }
    }

    @Test(
        "what a quarantined copy stood against is listed when it has ended",
        arguments: StoreImplementation.all)
    func unveiled(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let placed = try await scene.place("web", on: "h1", lease: lease)
            let copy: ID<Allocation> = scene.ids.id()
            var directive = scene.orphan(copy, name: "web")
            directive.workload = placed.workload
            try await scene.report(
                [scene.part(copy, .running, host: "h2", directive: directive)], sequence: 1)
            _ = try await scene.store.stop(copy, context: Scene.user)
            #expect(try await listed(scene, "h1").isEmpty)
            let assignment = try await scene.host("h1").assignment
            try await scene.report([scene.part(copy, .stopped, host: "h2")], sequence: 2)
            #expect(try await listed(scene, "h1") == [placed.id])
            #expect(try await scene.host("h1").assignment == assignment + 1)
        }
    }

    @Test(
        "a restored database is found out before anybody leads",
        arguments: [
            "system_identifier = 'another/1'", "timeline = timeline + 1",
        ])
    func detection(_ change: String) async throws {
        try await PostgresHarness.with { harness in
            let scene = Scene(harness: harness)
            let first = try await scene.lease()
            #expect(try await scene.store.clusterState().epoch == 1)
            try await harness.store.releaseLease(first)
            try await PostgresServer.connected(harness.configuration) { connection in
                _ = try await connection.query("UPDATE cluster SET quarantine = '60 seconds'")
                try await connection.runScript("UPDATE cluster SET \(change)")
            }
            _ = try await scene.lease(holder: "c2")
            let state = try await scene.store.clusterState()
            #expect(state.epoch == 2)
            #expect(state.quarantineUntil == Scene.start.advanced(by: .seconds(60)))
            _ = try await scene.lease(holder: "c2")
            #expect(try await scene.store.clusterState().epoch == 2)
        }
    }
}
