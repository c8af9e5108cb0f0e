import Fleet
import Oversubscription
import Store
import Testing

@testable import Control

@Suite struct RiskAccountTests {
    private static let midnight = 480_000 * 3600
    private let ids = CountedIDs()

    private func hour(_ index: Int, used: Int = 400, hot: Int = 0) -> ScopeHour {
        ScopeHour(
            start: Self.midnight + index * 3600, usedMilliCPU: used, soldMilliCPU: 1000, largestMilliCPU: 250,
            bins: 12, hotBins: hot, savedMilliCPU: 200)
    }

    private func decision(
        _ generation: Int, _ ratio: Int, from: Int, until: Int?, state: ScopeDecision.State
    ) -> ScopeDecision {
        func time(_ hours: Int) -> Timestamp { Timestamp(seconds: Double(Self.midnight + hours * 3600)) }
        return ScopeDecision(
            id: ids.id(), cell: "a", scope: RateScope(.pool, "p"), state: state, windowStart: time(from),
            windowSeconds: 3600, generation: generation, ratioPerMille: ratio, priorRatioPerMille: 1000,
            evidence: .init(
                policy: PolicyVersion(name: "p", version: 1), algorithm: .protoRate, inputsHash: "",
                predictedPeak: 0.5, risk: 0.02, benefitMilliCPU: 0, milliCPU: 1000),
            createdAt: time(from), closedAt: until.map(time))
    }

    @Test func anHourCountsForTheDecisionThatWasInForce() throws {
        let decisions = [
            decision(0, 2000, from: 0, until: 6, state: .superseded),
            // Proposed on the same version, and never applied.
            decision(1, 4000, from: 6, until: 8, state: .superseded),
            decision(1, 2500, from: 8, until: nil, state: .applied),
            decision(2, 3000, from: 9, until: nil, state: .proposed),
        ]
        let hours = (0..<12).map { hour($0, used: $0 == 2 ? 600 : 400, hot: $0 >= 10 ? 12 : 0) }
        let account = RiskAccount(hours: hours, decisions: decisions, generation: 2) { $0 }
        #expect(account.records.map(\.ratioPerMille) == [2000, 2500])
        #expect(account.records.map(\.bins) == [72, 72])
        #expect(account.records.map(\.hotBins) == [0, 24])
        let day = try #require(account.days(otherwise: 1000).first)
        #expect(day.day == 20_000 && day.bins == 144 && day.hotBins == 24)
        #expect(abs(day.predictedRisk - 0.02) < 1e-9)
        // Half a day at which half of one vCPU, and then three fifths of it, needed no core.
        #expect(day.nominalMilliCPU == 275 && day.realizedMilliCPU == 100)
        let outcomes = account.outcomes(until: Self.midnight + 12 * 3600)
        #expect(Set(outcomes.keys) == [decisions[0].id, decisions[2].id])
        #expect(outcomes[decisions[0].id]?.peak == 0.4 && outcomes[decisions[0].id]?.hot == 0)
        #expect(account.outcomes(until: Self.midnight + 3600).count == 1)
        #expect(account.outcomes(until: Self.midnight).isEmpty)
    }

    @Test func withoutHoursOrDecisionsThereIsNothing() {
        let none = RiskAccount(hours: [], decisions: [], generation: 0) { $0 }
        #expect(none.days(otherwise: 1000).isEmpty && none.records.isEmpty)
        #expect(none.outcomes(until: Self.midnight).isEmpty)
        // Before anything was decided the pool's own ratio counts.
        let plain = RiskAccount(hours: [hour(0)], decisions: [], generation: 0) { $0 }
        #expect(plain.days(otherwise: 2000).map(\.nominalMilliCPU) == [21])
    }

    @Test func gapsOfUseAreClosedCautiouslyAndLongOnesEndTheHistory() throws {
        let end = Self.midnight / 3600 + 1000
        #expect(StoredScopeUsage.profile([], until: end) == nil)
        let hours = [hour(0, used: 100), hour(1, used: 500), hour(4, used: 200)]
        let bridged = try #require(StoredScopeUsage.profile(hours, until: end))
        #expect(bridged.peaks == [0.1, 0.5, 0.5, 0.5, 0.2])
        #expect(bridged.firstHour == Self.midnight / 3600 && bridged.milliCPU == 1000)
        #expect(bridged.concentration == 0.25)
        let later = StoredScopeUsage.longestGap + 6
        let broken = try #require(StoredScopeUsage.profile(hours + [hour(later)], until: end))
        #expect(broken.peaks == [0.4] && broken.firstHour == Self.midnight / 3600 + later)
        // Neither an hour that is not over nor one in which nothing was sold says anything.
        var empty = hour(5)
        empty.soldMilliCPU = 0
        #expect(
            StoredScopeUsage.profile(hours + [empty, hour(6)], until: Self.midnight / 3600 + 6)
                == bridged)
    }
}
