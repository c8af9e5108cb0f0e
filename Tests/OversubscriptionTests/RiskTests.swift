import Oversubscription
import Testing

@Suite struct RiskTests {
    private func day(_ day: Int, bins: Int = 1000, hot: Int) -> ScopeDay {
        ScopeDay(day: day, bins: bins, hotBins: hot)
    }

    @Test func binsAddUpByScopeAndDay() throws {
        var ledger = RiskLedger()
        for index in 0..<576 {
            // Two days of one host: on the second every tenth bin is hot.
            ledger.add(
                .init(
                    start: index * 300, isHot: index >= 288 && index % 10 == 0, predictedRisk: 0.01,
                    soldCores: 48, share: 0.5, sharedCores: 32),
                binsPerDay: 288)
        }
        let days = ledger.days
        #expect(days.map(\.day) == [0, 1] && days.map(\.bins) == [288, 288])
        #expect(days[0].realisedRisk == 0 && days[1].hotBins == 29)
        #expect(abs(days[0].predictedRisk - 0.01) < 1e-12)
        // Half of 48 would be saved; 16 above what there is were sold.
        #expect(abs(days[0].nominalCores - 24) < 1e-9 && abs(days[0].realisedCores - 16) < 1e-9)
        ledger.drop(before: 1)
        #expect(ledger.days.map(\.day) == [1])
        // Before the epoch too, days are whole.
        var early = RiskLedger()
        early.add(
            .init(start: -1, isHot: false, predictedRisk: 0, soldCores: 0, share: 1, sharedCores: 1),
            binsPerDay: 288)
        #expect(early.days.map(\.day) == [-1])
        #expect(RiskLedger.Bin.isHot(used: 33, cores: 32, pressure: 0, limit: 0.25))
        #expect(RiskLedger.Bin.isHot(used: 1, cores: 32, pressure: 0.25, limit: 0.25))
        #expect(!RiskLedger.Bin.isHot(used: 32, cores: 32, pressure: 0.2, limit: 0.25))
    }

    @Test func theBudgetFreezesAtHalfAndRollsBackAtAll() {
        let budget = ErrorBudget(target: 0.01)
        // Thirty days of a thousand bins allow 300.
        let quiet = (1...30).map { day($0, hot: 5) }
        #expect(abs(budget.burned(quiet, through: 30) - 0.5) < 1e-12)
        #expect(budget.verdict(burned: 0.5) == .open)
        #expect(budget.verdict(burned: 0.51) == .frozen)
        #expect(budget.verdict(burned: 1) == .frozen)
        #expect(budget.verdict(burned: 1.01) == .rollback)
        // A young scope has the budget of a whole window.
        #expect(abs(budget.burned([day(1, hot: 30)], through: 1) - 0.1) < 1e-12)
        // What is older than the window no longer counts, nor does tomorrow.
        #expect(budget.burned([day(1, hot: 300), day(31, hot: 0)], through: 31) == 0)
        #expect(budget.burned([day(1, hot: 0), day(2, hot: 900)], through: 1) == 0)
        #expect(budget.burned([], through: 1) == 0)
        #expect(ErrorBudget(target: 0).burned([day(1, hot: 1)], through: 1) > 1)
    }

    @Test func aRollbackGoesToTheLatestThatKeptItsTarget() {
        let budget = ErrorBudget(target: 0.01)
        let records = [
            RatioRecord(id: "a", ratioPerMille: 1500, bins: 100, hotBins: 0),
            RatioRecord(id: "b", ratioPerMille: 2000, bins: 1000, hotBins: 10),
            RatioRecord(id: "c", ratioPerMille: 2500, bins: 1000, hotBins: 11),
            RatioRecord(id: "d", ratioPerMille: 3500, bins: 1000, hotBins: 0),
            RatioRecord(id: "e", ratioPerMille: 3000, bins: 1000, hotBins: 90),
        ]
        // d kept its target, but is bolder than what has just failed.
        #expect(budget.rollback(records)?.id == "b")
        #expect(budget.rollback([records[4]]) == nil && budget.rollback([]) == nil)
    }

    @Test(arguments: [0, 1, 19, 20, 39, 40, 1000])
    func aTrialTakesAtMostATwentieth(count: Int) throws {
        let hosts = (0..<count).map { "host-\($0)" }
        guard count >= 20 else {
            #expect(Canary.hosts(of: hosts, decision: "d") == nil)
            return
        }
        let trial = try #require(Canary.hosts(of: hosts, decision: "d"))
        #expect(trial.count == count / 20 && Set(trial).isSubset(of: hosts))
        #expect(Canary.hosts(of: hosts.reversed(), decision: "d") == trial)
        if count > 100 { #expect(Canary.hosts(of: hosts, decision: "e") != trial) }
    }

    private func change(to: Int = 2000) -> RatioChange {
        RatioChange(
            decision: "d", fromPerMille: 1500, toPerMille: to, calibration: 200,
            hosts: (0..<40).map { "host-\($0)" }, target: 0.01)
    }

    @Test func whatIsSaferGoesAtOnce() {
        var change = change(to: 1400)
        change.calibration = 0
        change.isDrifting = true
        change.isGuarded = true
        change.budget = .rollback
        #expect(change.verdict(at: 0) == .apply)
    }

    @Test func whatIsBolderNeedsEverything() throws {
        let trial = try #require(Canary.hosts(of: change().hosts, decision: "d"))
        #expect(change().verdict(at: 0) == .startCanary(trial))
        var obstructed = change()
        obstructed.calibration = 199
        obstructed.isDrifting = true
        obstructed.latestGuardEvent = 1
        obstructed.budget = .frozen
        obstructed.hosts = ["host-1"]
        #expect(
            obstructed.verdict(at: 86_400)
                == .refuse([.calibration, .drift, .guardEvent, .budget, .tooFewHosts]))
        var quiet = change()
        quiet.latestGuardEvent = 0
        #expect(quiet.verdict(at: 86_399) == .refuse([.guardEvent]))
        #expect(quiet.verdict(at: 86_400) != .refuse([.guardEvent]))
        quiet.isGuarded = true
        #expect(quiet.verdict(at: 86_400) == .refuse([.guardEvent]))
    }

    @Test func aTrialLastsADayAndHasToKeepTheTarget() {
        var change = change()
        change.canary = Canary(hosts: ["host-1", "host-2"], startedAt: 0)
        #expect(change.verdict(at: 86_400) == .awaitCanary)
        change.canaryBins = 500
        change.canaryHotBins = 5
        #expect(change.verdict(at: 86_399) == .awaitCanary)
        #expect(change.verdict(at: 86_400) == .apply)
        change.canaryHotBins = 6
        #expect(change.verdict(at: 3600) == .refuse([.canary]))
    }
}
