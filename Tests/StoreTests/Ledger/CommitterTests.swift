import Control
import Fleet
import Store
import Testing

@Suite("Two controllers at once", .postgresServer)
struct CommitterTests {
    static let seed: UInt64 = 20_261_121
    static let rounds = 30

    @Test("neither hosts, devices nor quotas are overfilled", arguments: StoreImplementation.all)
    func rivals(_ implementation: StoreImplementation) async throws {
        let quota = Quota(milliCPU: 40_000, devices: 5)
        try await Scene.run(implementation, hosts: 3, quota: quota) { scene in
            try await scene.create(.cell, "b", spec: CellSpec())
            try await scene.create(.pool, "q", spec: PoolSpec(cell: "b", admits: [.vm]))
            let far = try await scene.join("s2", pattern: "g*", cell: "b", pool: "q")
            try await scene.hello(far, (1...3).map { scene.hostHello("g\($0)") })
            var vms: [Resource] = []
            for index in 0..<24 { vms.append(try await scene.createVM("v\(index)")) }
            let all = vms
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                // The first two take cell a from each other, the third has cell b and the same quota.
                for (index, cell) in ["a", "a", "b"].enumerated() {
                    group.addTask {
                        try await Self.control(
                            cell, "c\(index)", all, seed: Self.seed &+ UInt64(index), scene)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied > Self.rounds, "seed \(Self.seed)")
            #expect(try await LedgerSums.differences(in: scene.store) == [])
            for host in try await scene.store.hosts(.all) {
                #expect(host.room.cpuHolds && host.room.memoryHolds, "seed \(Self.seed): \(host.name)")
            }
            let live = try await scene.store.allocations(.live)
            let devices = live.flatMap(\.devices)
            #expect(!devices.isEmpty && Set(devices).count == devices.count, "seed \(Self.seed)")
            for row in try await scene.store.quotas() { #expect(row.used <= row.limit ?? .max) }
            #expect(try await scene.usage(.devices) ?? 0 > 0)
            try await scene.harness.settle()
            let snapshot = try await FleetSnapshot.load(from: scene.store)
            #expect(snapshot.isStable && check(snapshot) == [], "seed \(Self.seed)")
        }
    }

    /// Plans over random hosts of a cell until its rounds are over; returns how many plans were applied. Each
    /// round takes the lease again, which the rival may have, or take in the middle.
    private static func control(
        _ cell: String, _ holder: String, _ vms: [Resource], seed: UInt64, _ scene: Scene
    ) async throws -> Int {
        var random = SeededGenerator(seed: seed)
        var applied = 0
        for _ in 0..<rounds {
            guard
                let lease = try await scene.store.acquireLease(
                    cell: cell, holder: holder, duration: .seconds(3600))
            else {
                await Task.yield()
                continue
            }
            do {
                try await commit(vms, lease, &random, scene)
                applied += 1
            } catch StoreError.planParentStale {
            } catch StoreError.leaseLost {}
            if Int.random(in: 0..<2, using: &random) == 0 { try await scene.store.releaseLease(lease) }
        }
        let last = try await scene.store.leases().first { $0.holder == holder }
        if let last { try await scene.store.releaseLease(last.lease) }
        return applied
    }

    private static func commit(
        _ vms: [Resource], _ lease: CellLease, _ random: inout SeededGenerator, _ scene: Scene
    ) async throws {
        let hosts = try await scene.store.hosts(.cell(lease.cell)).shuffled(using: &random)
        var groups: [[Directive]] = []
        for host in hosts.prefix(2) {
            guard let vm = vms.randomElement(using: &random) else { continue }
            let devices = Bool.random(using: &random) ? host.devices.prefix(1).map(\.uuid) : []
            let directive = scene.allocate(
                vm, on: host, milliCPU: Int.random(in: 1...6, using: &random) * 1000,
                memoryMiB: Int.random(in: 1...16, using: &random) * 1024, devices: devices)
            groups.append([.allocate(directive)])
        }
        let live = try await scene.store.allocations(.cell(lease.cell))
        if let old = live.randomElement(using: &random), Bool.random(using: &random) {
            groups.append([scene.release(old.id)])
        }
        try await scene.commit(groups, lease: lease)
    }
}
