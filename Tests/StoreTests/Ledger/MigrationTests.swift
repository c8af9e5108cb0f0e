import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Migrations", .postgresServer)
struct MigrationTests {
    @Test(
        "a reservation stands by, is told to nobody and charges no quota", arguments: StoreImplementation.all)
    func reservation(_ implementation: StoreImplementation) async throws {
        let quota = Quota(milliCPU: 4000, memoryMiB: 4096, devices: 1)
        try await Scene.run(implementation, hosts: 2, quota: quota) { scene in
            let lease = try await scene.lease()
            let source = try await scene.running("web", lease: lease, devices: ["GPU-h1-0"])
            let before = try await scene.host("h2")
            let move = try await scene.migration(of: source, to: "h2", devices: ["GPU-h2-1"])
            let outcome = try await scene.move([[.migrate(move)]], lease: lease)
            #expect(outcome.refusals.isEmpty)
            let target = try await scene.allocation(move.allocation.id)
            #expect(
                target.isStandby && target.state == .reserved && target.arrival == move.allocation.arrival)
            let left = try await scene.allocation(source.id)
            #expect(left.state == .active && left.departure == target.arrival?.migration)
            let after = try await scene.host("h2")
            #expect(after.room.sharedMilliCPU == before.room.sharedMilliCPU + 4000)
            #expect(after.takenDevices == ["GPU-h2-1"])
            #expect(try await scene.use() == [4000, 1])
            #expect(try await scene.told("h2").isEmpty)
            #expect(try await scene.told("h1") == [source.id])
            #expect(try await scene.events(.migrating).map(\.name) == ["web"])
            let plan = try await scene.store.plan(try #require(target.plan))
            #expect(plan?.groups.first?.directives == [.migrate(move)])
        }
    }

    @Test("the stop of the source hands the part over, in one step", arguments: StoreImplementation.all)
    func handover(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease, devices: ["GPU-h1-0"])
            try await scene.commit([[scene.release(source.id, .hostDrained)]], lease: lease)
            #expect(try await scene.allocation(target).isStandby)
            let before = (try await scene.host("h1"), try await scene.host("h2"))
            let position = try await scene.feedPosition()
            try await scene.report([scene.part(source.id, .stopped)], sequence: 2)
            #expect(try await scene.allocation(source.id).state == .released)
            let writer = try await scene.allocation(target)
            #expect(writer.state == .reserved && writer.arrival?.standsBy == false)
            let after = (try await scene.host("h1"), try await scene.host("h2"))
            #expect(after.0.assignment == before.0.assignment + 1 && after.0.takenDevices.isEmpty)
            #expect(after.1.assignment == before.1.assignment + 1)
            #expect(try await scene.told("h2") == [target])
            #expect(try await scene.use() == [1000, 1])
            #expect(try await scene.events(.migrated).map(\.message) == ["goes on on h2"])
            let entries = try await scene.feed(after: position, limit: 9).entries
            #expect(Set(entries.map(\.host)) == [after.0.id, after.1.id])
            #expect(Set(entries.map(\.cursor.transaction)).count == 1)
            try await scene.report([scene.part(target, .running, host: "h2")], sequence: 3)
            #expect(try await scene.allocation(target).state == .active)
            try await scene.report([scene.part(target, .stopped, host: "h2")], sequence: 4)
            #expect(try await scene.use() == [0, 0])
        }
    }

    @Test("a part that ends by itself meanwhile goes on at the target", arguments: StoreImplementation.all)
    func exit(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease)
            try await scene.report([scene.part(source.id, .failed)], sequence: 2)
            #expect(try await scene.allocation(source.id).state == .released)
            #expect(try await scene.allocation(target).arrival?.standsBy == false)
            #expect(try await scene.told("h2") == [target])
        }
    }

    @Test(
        "what is cancelled leaves the source as it was, and may be tried again",
        arguments: StoreImplementation.all)
    func cancel(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease)
            func cancel(_ lease: CellLease) async throws -> [ID<Allocation>] {
                try await scene.store.cancelMigrations(
                    [target, source.id], message: "undrained", source: "hosts", lease: lease)
            }
            await #expect(throws: StoreError.leaseLost(cell: "a")) {
                _ = try await cancel(CellLease(cell: "a", token: lease.token + 1))
            }
            #expect(try await cancel(lease) == [target])
            #expect(try await cancel(lease).isEmpty)
            let left = try await scene.allocation(source.id)
            #expect(left.state == .active && left.departure == nil)
            #expect(try await scene.allocation(target).state == .released)
            #expect(try await scene.host("h2").room.sharedMilliCPU == 0)
            #expect(try await scene.usage(.milliCPU) == 1000)
            #expect(try await scene.events(.migrationCancelled).map(\.message) == ["undrained"])
            let again = try await scene.migration(of: source, to: "h2")
            #expect(try await scene.move([[.migrate(again)]], lease: lease).refusals.isEmpty)
        }
    }

    @Test(
        "a target that takes nothing any more is let go, and the part waits",
        arguments: StoreImplementation.all)
    func lostTarget(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease)
            try await scene.update(.host, "h2") {
                $0.spec = #"{"cell":"a","pool":"p","draining":true,"cordonReason":"fan"}"#
            }
            try await scene.commit([[scene.release(source.id)]], lease: lease)
            try await scene.report([scene.part(source.id, .stopped)], sequence: 2)
            #expect(try await scene.allocation(target).state == .released)
            #expect(try await scene.store.allocations(.live).isEmpty)
            #expect(try await scene.store.countWaitingVMs() == ["": 1])
            #expect(try await scene.usage(.milliCPU) == 0)
        }
    }

    @Test("a VM that is deleted meanwhile is gone from both hosts", arguments: StoreImplementation.all)
    func deletion(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, _) = try await scene.migrating("web", lease: lease)
            try await scene.delete(.vm, "web", project: "team")
            try await scene.commit([[scene.release(source.id)]], lease: lease)
            try await scene.report([scene.part(source.id, .stopped)], sequence: 2)
            #expect(try await scene.store.allocations(.live).isEmpty)
            #expect(
                try await scene.store.finalize([source.workload.uid], lease: lease) == [source.workload.uid])
        }
    }

    @Test("a source that is fenced hands over", arguments: StoreImplementation.all)
    func fencedSource(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease)
            let freed = try await scene.store.releaseFenced(
                host: source.host, everything: true, lease: lease,
                context: WriteContext(actor: "user/ann", verb: "fence"))
            #expect(freed == [source.id])
            #expect(try await scene.allocation(target).arrival?.standsBy == false)
            #expect(try await scene.told("h2") == [target])
        }
    }

    @Test("a fenced target lets the source go on", arguments: StoreImplementation.all)
    func fencedTarget(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease)
            _ = try await scene.store.releaseFenced(
                host: try await scene.host("h2").id, everything: true, lease: lease,
                context: WriteContext(actor: "user/ann", verb: "fence"))
            #expect(try await scene.allocation(target).state == .released)
            let left = try await scene.allocation(source.id)
            #expect(left.state == .active && left.departure == nil)
        }
    }

    @Test("what an agent runs of a reservation is quarantined", arguments: StoreImplementation.all)
    func premature(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let (source, target) = try await scene.migrating("web", lease: lease)
            try await scene.report([scene.part(target, .running, host: "h2")], sequence: 2)
            let copy = try await scene.allocation(target)
            #expect(copy.quarantined && copy.state == .active && !copy.isStandby)
            #expect(try await scene.allocation(source.id).departure == nil)
            #expect(try await scene.told("h1").isEmpty)
            #expect(try await scene.told("h2") == [target])
            #expect(try await scene.usage(.milliCPU) == 2000)
        }
    }

    @Test("what cannot move is refused, and leaves no trace", arguments: StoreImplementation.all)
    func refusals(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 3) { scene in
            let lease = try await scene.lease()
            let source = try await scene.running("web", lease: lease)
            let big = try await scene.running("big", lease: lease, sequence: 2)
            let idle = try await scene.migration(of: source, to: "h1")
            var stale = try await scene.migration(of: source, to: "h2")
            stale.hostGeneration += 1
            var huge = try await scene.migration(of: big, to: "h2")
            huge.allocation.resources.milliCPU = 99_000
            let fine = try await scene.migration(of: source, to: "h3")
            let states = (try await scene.host("h2"), try await scene.usage(.milliCPU))
            let outcome = try await scene.move(
                [[.migrate(idle)], [.migrate(stale)], [.migrate(huge)], [.migrate(fine)]], lease: lease)
            #expect(outcome.refusals.map(\.group) == [0, 1, 2])
            #expect(outcome.refusals.map(\.reason) == [.allocationGone, .hostChanged, .insufficientCPU])
            #expect(try await scene.host("h2") == states.0)
            #expect(try await scene.usage(.milliCPU) == states.1)
            #expect(try await scene.allocation(big.id) == big)
            #expect(try await scene.allocation(source.id).departure == fine.allocation.arrival?.migration)
            let second = try await scene.migration(of: source, to: "h2")
            #expect(
                try await scene.move([[.migrate(second)]], lease: lease).refusals.map(\.reason)
                    == [.allocationGone])
        }
    }

    @Test("a plan that migrates places nothing", arguments: StoreImplementation.all)
    func mixed(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let source = try await scene.running("web", lease: lease)
            let move = try await scene.migration(of: source, to: "h2")
            let other = scene.allocate(try await scene.createVM("other"), on: try await scene.host())
            await #expect(throws: StoreError.self) {
                try await scene.move([[.migrate(move)], [.allocate(other)]], lease: lease)
            }
        }
    }
}

extension Scene {
    /// A VM of 1 vCPU, or of 4 with a device, that runs on `h1`.
    func running(
        _ name: String, lease: CellLease, devices: [String] = [], sequence: Int = 1
    ) async throws -> Allocation {
        let placed = try await place(
            name, lease: lease, milliCPU: devices.isEmpty ? 1000 : 4000,
            devices: devices)
        try await report([part(placed.id, .running)], sequence: sequence)
        return try await allocation(placed.id)
    }

    /// A VM of 1 vCPU that runs on `h1` and is to go to `h2`, with as many devices.
    func migrating(
        _ name: String, lease: CellLease, devices: [String] = []
    ) async throws -> (source: Allocation, target: ID<Allocation>) {
        let placed = try await place(name, lease: lease, devices: devices)
        try await report([part(placed.id, .running)], sequence: 1)
        let source = try await allocation(placed.id)
        let directive = try await migration(
            of: source, to: "h2", devices: devices.map { $0.replacing("h1", with: "h2") })
        try #require(try await move([[.migrate(directive)]], lease: lease).refusals.isEmpty)
        return (source, directive.allocation.id)
    }

    func migration(
        of source: Allocation, to host: String, devices: [String] = []
    ) async throws -> MigrateDirective {
        let host = try await self.host(host)
        let vm = try await document(.vm, source.workload.name, project: source.workload.project)
        var target = source
        target.id = ids.id()
        target.host = host.id
        target.devices = devices
        target.state = .reserved
        target.departure = nil
        target.arrival = MigrationArrival(migration: ids.id(), standsBy: true)
        return MigrateDirective(
            allocation: target, from: source.id, workloadGeneration: vm.metadata.generation,
            hostGeneration: host.generation, message: "moves to \(host.name)")
    }

    /// Commits groups on top of the last plan of maintenance.
    @discardableResult
    func move(_ groups: [[Directive]], lease: CellLease) async throws -> CommitOutcome {
        let parent = try await store.planHead(cell: lease.cell, engine: .hostMaintenance)
        let plan = Plan(
            id: ids.id(), cell: lease.cell, engine: .hostMaintenance, parent: parent, inputsHash: "i",
            seed: 7,
            groups: groups.map { DirectiveGroup($0) },
            report: PlanReport(policy: "drain", hosts: 1, placed: 0, unplaced: []), createdAt: Self.start)
        return try await store.commit(LedgerCommit(lease: lease, plan: plan, statuses: [:]))
    }

    /// CPU and devices charged to the project.
    func use() async throws -> [Int?] { [try await usage(.milliCPU), try await usage(.devices)] }

    /// Allocations that the agent of a host is told of.
    func told(_ host: String) async throws -> [ID<Allocation>] {
        let record = try await self.host(host)
        return try await store.assignments(hosts: [record.id], known: [:]).flatMap(\.allocations).map(\.id)
    }
}
