import AgentProtocol
import Fleet
import Store
import Testing

@Suite("Admission", .postgresServer)
struct AdmissionTests {
    /// Makes one directive wrong in one way; several ways at once show which is found first.
    private struct Defect: Sendable {
        var reason: Reason
        var namesHost: Bool
        var spoil: @Sendable (inout AllocateDirective) -> Void
    }

    private static let defects: [Defect] = [
        Defect(reason: .hostChanged, namesHost: true) { $0.hostGeneration += 1 },
        Defect(reason: .workloadGone, namesHost: false) { $0.allocation.workload.uid = .zero },
        Defect(reason: .workloadChanged, namesHost: false) { $0.workloadGeneration += 1 },
        Defect(reason: .deviceTaken, namesHost: true) { $0.allocation.devices = ["GPU-none"] },
        Defect(reason: .insufficientCPU, namesHost: true) { $0.allocation.resources.milliCPU = 15_001 },
        Defect(reason: .insufficientMemory, namesHost: true) { $0.allocation.resources.memoryMiB = 61_441 },
        Defect(reason: .quotaExceeded, namesHost: false) { $0.allocation.resources.memoryMiB = 50_001 },
    ]

    @Test("the first rule that refuses is told", arguments: StoreImplementation.all)
    func order(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1, quota: Quota(memoryMiB: 50_000)) { scene in
            let lease = try await scene.lease()
            let (vm, host) = (try await scene.createVM("web"), try await scene.host())
            for (index, first) in Self.defects.enumerated() {
                var alone = scene.allocate(vm, on: host)
                first.spoil(&alone)
                var many = alone
                for other in Self.defects[(index + 1)...].reversed() where other.reason != .quotaExceeded {
                    other.spoil(&many)
                }
                first.spoil(&many)
                let expected = GroupRefusal(
                    group: 0, reason: first.reason, host: first.namesHost ? host.id : nil)
                for directive in [alone, many] {
                    let outcome = try await scene.commit([[.allocate(directive)]], lease: lease)
                    #expect(outcome.refusals == [expected])
                }
            }
            #expect(
                try await scene.commit([[.allocate(scene.allocate(vm, on: host))]], lease: lease).refusals
                    == [])
        }
    }

    @Test("limits are reached exactly", arguments: StoreImplementation.all)
    func limits(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1, quota: Quota(milliCPU: 15_000, devices: 1)) { scene in
            let lease = try await scene.lease()
            try await scene.place(
                "full", lease: lease, milliCPU: 15_000, memoryMiB: 61_440, devices: ["GPU-h1-0"])
            let vm = try await scene.createVM("more")
            let host = try await scene.host()
            let tries: [(AllocateDirective, Reason)] = [
                (scene.allocate(vm, on: host, milliCPU: 0, memoryMiB: 1), .insufficientMemory),
                (scene.allocate(vm, on: host, milliCPU: 1, memoryMiB: 0), .insufficientCPU),
                (
                    scene.allocate(vm, on: host, milliCPU: 0, memoryMiB: 0, devices: ["GPU-h1-1"]),
                    .quotaExceeded
                ),
            ]
            for (directive, reason) in tries {
                let outcome = try await scene.commit([[.allocate(directive)]], lease: lease)
                #expect(outcome.refusals.map(\.reason) == [reason])
            }
        }
    }

    @Test("a raised quota is in force at once", arguments: StoreImplementation.all)
    func quotaChange(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1, quota: Quota(milliCPU: 500)) { scene in
            let lease = try await scene.lease()
            let (vm, host) = (try await scene.createVM("web"), try await scene.host())
            let refused = try await scene.commit([[.allocate(scene.allocate(vm, on: host))]], lease: lease)
            #expect(refused.refusals.map(\.reason) == [.quotaExceeded])
            try await scene.update(.project, "team") { $0.spec = #"{"quota":{"milliCPU":1000}}"# }
            #expect(
                try await scene.commit([[.allocate(scene.allocate(vm, on: host))]], lease: lease).refusals
                    == [])
            try await scene.update(.project, "team") { $0.spec = #"{"quota":{"milliCPU":10}}"# }
            let row = try await scene.store.quotas().first { $0.resource == .milliCPU }
            #expect(row?.used == 1000 && row?.limit == 10)
            try await scene.update(.project, "team") { $0.spec = "{}" }
            #expect(try await scene.store.quotas().allSatisfy { $0.limit == nil })
        }
    }

    @Test("a host that takes nothing refuses", arguments: StoreImplementation.all)
    func unschedulable(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 1) { scene in
            let vm = try await scene.createVM("web")
            for spec in [
                #"{"cell":"a","pool":"p","cordoned":true,"cordonReason":"x"}"#,
                #"{"cell":"a","pool":"p","draining":true,"cordonReason":"x"}"#,
            ] {
                try await scene.update(.host, "h1") { $0.spec = spec }
                try await expect(.hostChanged, vm, scene: scene)
            }
            try await scene.update(.host, "h1") { $0.spec = #"{"cell":"a","pool":"p"}"# }
            try await scene.advance(31)
            let lease = try await scene.lease()
            try await scene.report(sequence: 1)
            try await scene.advance(5)
            #expect(try await scene.judge(lease).suspected == [])
            var elapsed = 5.0
            while elapsed < 35 {
                try await scene.advance(5)
                elapsed += 5
                try await scene.judge(lease)
            }
            #expect(try await scene.host().contact == .suspect)
            try await expect(.hostChanged, vm, scene: scene)
        }
    }

    private func expect(_ reason: Reason, _ vm: Resource, scene: Scene) async throws {
        let host = try await scene.host()
        let outcome = try await scene.commit(
            [[.allocate(scene.allocate(vm, on: host))]], lease: try await scene.lease())
        #expect(outcome.refusals == [GroupRefusal(group: 0, reason: reason, host: host.id)])
    }

    @Test("a part has one unreleased allocation, a deleted VM gets none", arguments: StoreImplementation.all)
    func parts(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            let vm = try await scene.createVM("web")
            let first = scene.allocate(vm, on: try await scene.host("h1"))
            let second = scene.allocate(vm, on: try await scene.host("h2"))
            let twice = try await scene.commit([[.allocate(first)], [.allocate(second)]], lease: lease)
            #expect(twice.refusals == [GroupRefusal(group: 1, reason: .alreadyAllocated, host: nil)])
            try await scene.commit([[scene.release(first.allocation.id)]], lease: lease)
            let releasing = try await scene.commit([[.allocate(second)]], lease: lease)
            #expect(releasing.refusals.map(\.reason) == [.alreadyAllocated])
            try await scene.report([scene.part(first.allocation.id, .stopped)], sequence: 1)
            let reused = try await scene.commit([[.allocate(first)]], lease: lease)
            #expect(reused.refusals.map(\.reason) == [.alreadyAllocated])
            #expect(try await scene.commit([[.allocate(second)]], lease: lease).refusals == [])
            let doomed = try await scene.createVM("doomed")
            try await scene.delete(.vm, "doomed", project: "team")
            let late = try await scene.commit(
                [[.allocate(scene.allocate(doomed, on: try await scene.host()))]], lease: lease)
            #expect(late.refusals == [GroupRefusal(group: 0, reason: .workloadGone, host: nil)])
        }
    }

    @Test("a device is given once, and only when it is healthy", arguments: StoreImplementation.all)
    func devices(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 2) { scene in
            let lease = try await scene.lease()
            try await scene.place("one", lease: lease, devices: ["GPU-h1-0"])
            var sick = scene.hostHello("h1")
            sick.inventory.devices[1].health = .failed
            try await scene.hello(try await scene.session().id, [sick, scene.hostHello("h2")])
            let vm = try await scene.createVM("two")
            let host = try await scene.host()
            for devices in [["GPU-h1-0"], ["GPU-h1-1"], ["GPU-h2-0"]] {
                let outcome = try await scene.commit(
                    [[.allocate(scene.allocate(vm, on: host, devices: devices))]], lease: lease)
                #expect(outcome.refusals == [GroupRefusal(group: 0, reason: .deviceTaken, host: host.id)])
            }
        }
    }
}
