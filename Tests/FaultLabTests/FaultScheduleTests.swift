import FaultLab
import Fleet
import Foundation
import Testing

@Suite struct FaultScheduleTests {
    private let surface = FaultSurface(
        hosts: (0..<24).map { "h-\($0)" }, agents: (0..<24).map { "h-\($0)" }, racks: ["a", "b"],
        controllers: ["c-0", "c-1", "c-2"], projects: ["team"])

    private func drawn(_ seed: UInt64, days: Int = 100, acceleration: Double = 50) -> FaultSchedule {
        FaultSchedule.drawn(
            seed: seed, surface: surface, duration: .seconds(86_400 * days), acceleration: acceleration)
    }

    @Test func equalSeedsDrawEqualSchedules() {
        #expect(drawn(7) == drawn(7))
        #expect(drawn(7) != drawn(8))
    }

    @Test func ratesAreThePublishedOnes() {
        let faults = drawn(1).faults
        let expected = FaultMix.published.reduce(0) { $0 + $1.perHostDay } * 24 * 100 * 50
        // Four standard deviations of a Poisson count; a few are cut off at the end.
        #expect(abs(Double(faults.count) - expected) < 4 * expected.squareRoot() + 5)
        #expect(abs(FaultMix.llama3.perHostDay - 0.00379) < 0.00001)
        #expect(abs(FaultMix.infiniteHBD.perHostDay - 0.00418) < 0.00001)
    }

    @Test func faultsAreInOrderAndEndInTime() {
        let faults = drawn(3, days: 10).faults
        #expect(faults.map(\.id) == Array(faults.indices))
        #expect(zip(faults, faults.dropFirst()).allSatisfy { $0.start <= $1.start })
        #expect(faults.allSatisfy { $0.lease > .zero && $0.end < .seconds(864_000) })
    }

    @Test func kindsThatAreLeftOutDoNotMoveOthers() {
        let some: Set<FaultKind> = [.agentCrash, .controllerCrash]
        let few = FaultSchedule.drawn(
            seed: 5, surface: surface, duration: .seconds(864_000), acceleration: 100, kinds: some)
        let all = FaultSchedule.drawn(
            seed: 5, surface: surface, duration: .seconds(864_000), acceleration: 100)
        #expect(few.faults.map(\.start) == all.faults.filter { some.contains($0.kind) }.map(\.start))
        #expect(!few.faults.isEmpty)
    }

    @Test func aScheduleSurvivesJSON() throws {
        let schedule = drawn(2, days: 3)
        let data = try JSONEncoder().encode(schedule)
        #expect(try JSONDecoder().decode(FaultSchedule.self, from: data) == schedule)
        #expect(FaultTarget("nothing") == nil)
        #expect(FaultTarget("host/a/b")?.name == "a/b")
    }

    @Test func nothingCanBeHitInAnEmptyFleet() {
        let empty = FaultSurface(hosts: [], agents: [], racks: [], controllers: [])
        let schedule = FaultSchedule.drawn(
            seed: 1, surface: empty, duration: .seconds(1000), acceleration: 1e6)
        #expect(schedule.faults.isEmpty)
    }
}
