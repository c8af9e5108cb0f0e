import Fleet
import Store
import Testing

@testable import Control

@Suite("Journals beside the ledger")
struct RunEvidenceTests {
    private static let ids = CountedIDs()

    private static func at(_ seconds: Double) -> Timestamp { Timestamp(seconds: seconds) }

    /// An allocation that was released at `released`, with a workload of its own.
    private static func allocation(released: Double?) -> Allocation {
        Allocation(
            id: ID(ids.next()),
            workload: WorkloadReference(
                kind: .vm, uid: ID(ids.next()), project: "shop", name: "web", part: "vm"),
            cell: "east", host: ID(ids.next()), class: .standard,
            resources: Resources(milliCPU: 1, memoryMiB: 1), state: released == nil ? .active : .released,
            quarantined: true, createdAt: at(0), releasedAt: released.map(at))
    }

    private static func violations(
        _ allocation: Allocation, _ runs: [(host: String, from: Double, to: Double?)], readAt: Double = 100,
        fencedBy source: String? = nil
    ) -> [String] {
        var snapshot = FleetSnapshot(
            hosts: [], allocations: [allocation], workloads: [], plans: [], feed: [], events: [], quotas: [])
        if let source {
            snapshot.events = [
                EventRecord(
                    id: 2, at: at(50), kind: .vm, project: "shop", name: "web", uid: allocation.workload.uid,
                    reason: .hostFenced, message: "", source: source)
            ]
        }
        let evidence = runs.map {
            RunEvidence(
                host: $0.host, allocation: allocation.id, workload: allocation.workload.uid, part: "vm",
                from: at($0.from), to: $0.to.map(at))
        }
        snapshot.take(evidence, readAt: at(readAt))
        // Of a fleet of one row only what journals show is asked.
        return check(snapshot).map(\.message).filter { message in
            ["ran ", "runs on", "started"].contains { message.contains($0) }
        }
    }

    @Test("a start after the release is found")
    func startsAfterRelease() {
        let found = Self.violations(Self.allocation(released: 10), [("h", 20, 30)])
        #expect(found.contains { $0.contains("started on") }, "\(found)")
        #expect(Self.violations(Self.allocation(released: 40), [("h", 20, 30)]) == [])
    }

    @Test("what still runs although it was released before the reading is found")
    func runsAfterRelease() {
        #expect(Self.violations(Self.allocation(released: 50), [("h", 20, nil)]).count == 1)
        #expect(Self.violations(Self.allocation(released: 150), [("h", 20, nil)]) == [])
    }

    @Test("an operator's word ends what no journal ends, the controllers' does not")
    func vouched() {
        let runs: [(String, Double, Double?)] = [("h", 20, nil)]
        #expect(Self.violations(Self.allocation(released: 50), runs, fencedBy: "user/admin") == [])
        #expect(Self.violations(Self.allocation(released: 50), runs, fencedBy: "controller/hosts").count == 1)
    }

    @Test("a part that ran on two hosts at once is found")
    func twice() {
        let found = Self.violations(Self.allocation(released: 60), [("h", 20, 40), ("i", 30, 50)])
        #expect(found.contains { $0.hasPrefix("ran on") }, "\(found)")
        #expect(Self.violations(Self.allocation(released: 60), [("h", 20, 40), ("i", 40, 50)]) == [])
    }
}
