import Fleet
import Foundation
import Testing

@Suite struct DocumentTests {
    @Test(arguments: ["a", "web-1", "a.b", "0", String(repeating: "x", count: 63)])
    func `names are accepted`(name: String) {
        #expect(Name.defect(in: name) == nil)
    }

    @Test(arguments: [
        "", "-a", "a-", "A", "a b", "a/b", "..", "a\u{0}", "ä", String(repeating: "x", count: 64), "a_b",
    ])
    func `other names are refused with a reason`(name: String) {
        #expect(Name.defect(in: name)?.isEmpty == false)
    }

    @Test func `a VM spec says everything that is wrong with it`() {
        let spec = VMSpec(
            resources: Resources(milliCPU: -5, memoryMiB: 0),
            devices: [
                DeviceRequest(model: "", count: 0), DeviceRequest(model: "h100", count: 1),
                .init(model: "h100", count: 1),
            ],
            lifetimeHintSeconds: 0)
        #expect(
            spec.defects().map(\.field) == [
                "spec.resources.milliCPU", "spec.resources.memoryMiB", "spec.devices[0].model",
                "spec.devices[0].count",
                "spec.devices[2].model", "spec.lifetimeHintSeconds",
            ])
        #expect(VMSpec().defects().map(\.code) == [.required])
        #expect(
            VMSpec(flavor: "small", resources: Resources(milliCPU: 1, memoryMiB: 1)).defects().map(\.code)
                == [.conflict])
    }

    @Test(arguments: PoolSpec.Placement.allCases)
    func `a pool takes every policy, and tries every one in the shadow`(placement: PoolSpec.Placement) {
        #expect(PoolSpec(cell: "c", admits: [.vm], placement: placement).defects().isEmpty)
        #expect(PoolSpec(cell: "c", admits: [.vm], shadow: placement).defects().isEmpty)
    }

    @Test func `a host that takes no workloads says why`() {
        #expect(
            HostSpec(cell: "c", pool: "p", cordoned: true).defects().map(\.field) == ["spec.cordonReason"])
        #expect(HostSpec(cell: "c", pool: "p", draining: true, cordonReason: "disk").defects().isEmpty)
    }

    @Test func `a transition time moves only with the status`() {
        func condition(_ status: Condition.Status, _ reason: Reason, at seconds: Double) -> Condition {
            Condition(
                type: .running, status: status, reason: reason, message: "",
                lastTransitionTime: Timestamp(seconds: seconds))
        }
        var conditions = [condition(.no, .starting, at: 1)]
        conditions.set(condition(.no, .stopping, at: 2))
        #expect(conditions == [condition(.no, .stopping, at: 1)])
        conditions.set(condition(.yes, .running, at: 3))
        #expect(conditions == [condition(.yes, .running, at: 3)])
    }

    @Test func `directives are flat and come back equal`() throws {
        let allocation = Allocation(
            id: try #require(ID("01a1fd62-2e11-700a-8283-ed2e77143d74")),
            workload: WorkloadReference(
                kind: .vm, uid: try #require(ID("01a1fd60-aa35-72e5-b20b-abd9abf2c312")), project: "p",
                name: "n", part: "vm"),
            cell: "c", host: try #require(ID("01a1fd60-a1b2-7003-bf1f-cf7e6f02240d")), class: .spot,
            resources: Resources(milliCPU: 1, memoryMiB: 2), devices: ["GPU-1"],
            createdAt: Timestamp(seconds: 1))
        let group = DirectiveGroup([
            .allocate(
                AllocateDirective(
                    allocation: allocation, workloadGeneration: 1, hostGeneration: 2, message: "m")),
            .release(ReleaseDirective(allocation: allocation.id, reason: .hostDrained, message: "r")),
        ])
        let data = try JSONEncoder().encode(group)
        #expect(try JSONDecoder().decode(DirectiveGroup.self, from: data) == group)
        let words = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        #expect(words.map { $0["directive"] as? String } == ["allocate", "release"])
    }

    @Test func `ids made in a row are in order, and their text is read back`() throws {
        let clock = Ticking()
        let source = TimeOrderedIDSource(now: { clock.next() }, entropy: { UUID() })
        let ids = (0..<100).map { _ in ID<Plan>(source.next()) }
        #expect(ids == ids.sorted())
        for id in ids { #expect(ID<Plan>(id.description) == id) }
        #expect(ids.allSatisfy { $0.description.dropFirst(14).first == "7" })
    }
}

/// A clock that moves a millisecond with every look.
private final class Ticking: Sendable {
    private let count = Counter()

    func next() -> Timestamp { Timestamp(microseconds: Int64(count.next()) * 1000) }
}
