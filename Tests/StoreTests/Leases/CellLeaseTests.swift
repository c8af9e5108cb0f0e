import Fleet
import Store
import Testing

@Suite("Cell leases", .postgresServer)
struct CellLeaseTests {
    @Test("one holder at a time, and tokens that only rise", arguments: StoreImplementation.all)
    func tokens(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let first = try await scene.lease(holder: "c1", seconds: 10)
            let taken = try await scene.store.acquireLease(cell: "a", holder: "c2", duration: .seconds(10))
            #expect(taken == nil)
            let again = try await scene.lease(holder: "c1", seconds: 10)
            #expect(again.token > first.token)
            #expect(try await scene.store.renewLease(first, duration: .seconds(10)) == false)
            try await scene.store.releaseLease(first)
            #expect(try await scene.store.leases().map(\.lease) == [again])
            try await scene.advance(10)
            let second = try await scene.lease(holder: "c2", seconds: 10)
            #expect(second.token > again.token)
            try await scene.store.releaseLease(second)
            #expect(try await scene.store.leases().isEmpty)
            let third = try await scene.lease(holder: "c3", seconds: 10)
            #expect(third.token > second.token)
            let other = try await scene.lease("b", holder: "c1", seconds: 10)
            #expect(try await scene.store.leases().map(\.lease) == [third, other])
            #expect(try await scene.store.leases().map(\.holder) == ["c3", "c1"])
        }
    }

    @Test("a renewal lengthens a lease that has not run out", arguments: StoreImplementation.all)
    func renewal(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            let lease = try await scene.lease(seconds: 10)
            try await scene.advance(9)
            #expect(try await scene.store.renewLease(lease, duration: .seconds(10)))
            try await scene.advance(9)
            let expires = try await scene.store.leases().first?.expiresAt
            #expect(expires == Scene.start.advanced(by: .seconds(19)))
            let rival = try await scene.store.acquireLease(cell: "a", holder: "c2", duration: .seconds(10))
            #expect(rival == nil)
            try await scene.advance(1)
            // It ran out, though nobody took it: what was planned under it may be old.
            #expect(try await scene.store.renewLease(lease, duration: .seconds(10)) == false)
            #expect(try await scene.store.acquireLease(cell: "a", holder: "c2", duration: .seconds(1)) != nil)
        }
    }

    @Test("after a takeover the earlier holder writes nothing", arguments: StoreImplementation.all)
    func takeover(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease(holder: "c1", seconds: 10)
            let vm = try await scene.createVM("web")
            let directive = Directive.allocate(scene.allocate(vm, on: try await scene.host()))
            let planned = try await scene.planned([[directive]], lease: lease)
            try await scene.advance(11)
            let next = try await scene.lease(holder: "c2", seconds: 10)
            let lost = StoreError.leaseLost(cell: "a")
            await #expect(throws: lost) { try await scene.store.commit(planned) }
            await #expect(throws: lost) { try await scene.store.writeStatuses([], lease: lease) }
            await #expect(throws: lost) { try await scene.store.finalize([], lease: lease) }
            await #expect(throws: lost) { try await scene.judge(lease) }
            let host = try await scene.host().id
            await #expect(throws: lost) {
                try await scene.store.releaseFenced(
                    host: host, everything: true, lease: lease, context: Scene.user)
            }
            #expect(try await scene.store.allocations(.live).isEmpty)
            var moved = planned
            moved.lease = next
            #expect(try await scene.store.commit(moved).refusals == [])
        }
    }

    @Test("a takeover waits for a commit that passed its lease check", arguments: StoreImplementation.all)
    func runningCommit(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let lease = try await scene.lease(holder: "c1", seconds: 10)
            let vm = try await scene.createVM("web")
            let directive = Directive.allocate(scene.allocate(vm, on: try await scene.host()))
            let planned = try await scene.planned([[directive]], lease: lease)
            guard let held = try await scene.harness.holdCommit(planned) else { return }
            try await scene.advance(11)
            async let taken = scene.store.acquireLease(cell: "a", holder: "c2", duration: .seconds(10))
            let outcome = try await held.finish()
            #expect(outcome.refusals.isEmpty)
            let next = try #require(try await taken)
            #expect(next.token > lease.token)
            // The new holder sees what the earlier one did, so its plans build on it.
            #expect(try await scene.store.planHead(cell: "a", engine: .vmPlacement) == planned.plan.id)
            #expect(try await scene.store.allocations(.live).count == 1)
            let late = try await scene.planned([], lease: lease)
            await #expect(throws: StoreError.leaseLost(cell: "a")) { try await scene.store.commit(late) }
        }
    }

    @Test("time and cluster state come from the store", arguments: StoreImplementation.all)
    func cluster(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation) { scene in
            #expect(try await scene.store.now() == Scene.start)
            try await scene.advance(2.5)
            #expect(try await scene.store.now() == Scene.start.advanced(by: .milliseconds(2500)))
            let state = try await scene.store.clusterState()
            #expect(state.epoch == 1 && state.quarantineUntil == nil)
        }
    }
}
