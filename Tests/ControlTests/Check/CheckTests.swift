import Fleet
import Store
import Testing

@testable import Control

@Suite("Check of the invariants")
struct CheckTests {
    static let seeds: [UInt64] = [1, 2, 3, 5, 8, 13]

    @Test("a fleet that only did what is allowed passes", arguments: seeds)
    func valid(seed: UInt64) async throws {
        let snapshot = try await FleetFixture.snapshot(seed: seed)
        #expect(snapshot.isStable)
        #expect(snapshot.allocations.count > 30 && snapshot.journals.count > 10, "seed \(seed)")
        #expect(check(snapshot) == [], "seed \(seed)")
    }

    @Test("a planted violation is found, and nothing else", arguments: PlantedViolation.all)
    func planted(_ violation: PlantedViolation) async throws {
        for seed in Self.seeds.prefix(2) {
            var snapshot = try await FleetFixture.snapshot(seed: seed)
            try violation.plant(&snapshot)
            let found = check(snapshot)
            #expect(Set(found.map(\.invariant)) == [violation.invariant.rawValue], "seed \(seed): \(found)")
        }
    }

    @Test("every invariant has plants")
    func coverage() {
        for invariant in Invariant.allCases {
            #expect(PlantedViolation.all.count { $0.invariant == invariant } >= 3)
        }
    }

    @Test("limits that were lowered under use are legal while use does not grow")
    func lowered() async throws {
        var snapshot = try await FleetFixture.snapshot(seed: 1)
        try snapshot.editHost("h1") {
            $0.room.total = Resources(milliCPU: 1001, memoryMiB: 1025)
            $0.generation += 1
        }
        #expect(check(snapshot) == [])
        snapshot.observations += [HostObservation(try snapshot.host("h1"), epoch: 1)]
        #expect(check(snapshot) == [])
        snapshot.observations = []
        #expect(check(snapshot) == [])
    }

    @Test("the order of the parts does not matter")
    func order() async throws {
        var snapshot = try await FleetFixture.snapshot(seed: 2)
        for name in ["fixed-device", "fixed-reserved", "fixed-guaranteed"] {
            try snapshot.editAllocation(name) { $0.resources.milliCPU = 90_000 }
        }
        snapshot.plans += snapshot.plans
        let found = check(snapshot)
        #expect(found.count > 10)
        var random = FixtureGenerator(seed: 4)
        for _ in 0..<5 {
            snapshot.hosts.shuffle(using: &random)
            snapshot.allocations.shuffle(using: &random)
            snapshot.plans.shuffle(using: &random)
            #expect(check(snapshot) == found)
        }
    }

    @Test("a list of violations is bounded, their count is not")
    func bound() async throws {
        var snapshot = try await FleetFixture.snapshot(seed: 1, steps: 10)
        snapshot.quotas = (0..<1500).map {
            QuotaRecord(project: "none\($0)", resource: .devices, used: 1, limit: nil)
        }
        snapshot.plans += snapshot.plans
        let report = CheckReport(snapshot)
        #expect(report.violations.count == CheckReport.limit)
        #expect(report.count == 1500 + snapshot.plans.count / 2)
        #expect(check(snapshot).count == CheckReport.limit)
    }

    @Test("an empty fleet passes")
    func empty() {
        let snapshot = FleetSnapshot(
            hosts: [], allocations: [], workloads: [], plans: [], feed: [], events: [], quotas: [])
        #expect(check(snapshot) == [])
    }
}
