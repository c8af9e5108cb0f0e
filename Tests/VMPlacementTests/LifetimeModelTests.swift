import Fleet
import Foundation
import Testing
import VMPlacement

@Suite struct LifetimeModelTests {
    /// Hours: median, deviation, uptime, expected remaining; computed outside.
    @Test(arguments: [
        (1.0, 0.5, 0.0, 1.133), (1, 0.5, 1, 0.567), (1, 0.5, 4, 0.697), (1, 0.5, 24, 1.948),
        (1, 1, 0, 1.649), (1, 1, 0.5, 1.583), (1, 1, 4, 2.960), (1, 1, 48, 14.252), (24, 1, 0, 39.569),
        (24, 1, 24, 42.583),
    ])
    func aLogNormalLawHasTheMeanExcess(median: Double, deviation: Double, uptime: Double, expected: Double) {
        let law = LogNormalLaw(mean: log(median * 3600), deviation: deviation)
        let hours = law.expectedRemaining(uptime: uptime * 3600) / 3600
        #expect(abs(hours - expected) <= 0.0006, "\(hours)")
    }

    @Test func theFarTailOfALogNormalLawIsFinite() {
        let law = LogNormalLaw(mean: log(60), deviation: 0.1)
        for exponent in 2...12 {
            let remaining = law.expectedRemaining(uptime: pow(10, Double(exponent)))
            #expect(remaining.isFinite && remaining > 0)
        }
    }

    @Test func aLawWithoutSpreadKnowsTheEnd() {
        let law = LogNormalLaw(mean: log(100), deviation: 0)
        #expect(abs(law.expectedRemaining(uptime: 30) - 70) < 1e-9)
    }

    @Test(arguments: [(0.0, 19.833), (1, 28.25), (2, 36.333), (5, 50), (10, 90), (50, 50)])
    func observedLifetimesGiveTheMeanExcess(uptime: Double, expected: Double) {
        let lifetimes = [1.0, 1, 2, 5, 10, 100]
        let counts = Set(lifetimes).map { age in
            SurvivalCurve.Count(age: age, ended: lifetimes.count { $0 == age }, censored: 0)
        }
        let remaining = SurvivalCurve(counts, shape: .steps).expectedRemaining(uptime: uptime)
        #expect(abs(remaining - expected) <= 0.0006, "\(remaining)")
    }

    @Test func thoseStillRunningAreAtRiskForHalfTheirLastBin() {
        let curve = SurvivalCurve(
            [.init(age: 10, ended: 1, censored: 2), .init(age: 20, ended: 2, censored: 0)], shape: .lines,
            horizon: 40)
        #expect(abs(curve.survival(at: 10) - 0.75) < 1e-12)
        #expect(curve.survival(at: 20) == 0)
        // 10 · (1 + 0.75) / 2 + 10 · 0.75 / 2.
        #expect(abs(curve.expectedRemaining(uptime: 0) - 12.5) < 1e-12)
    }

    @Test func behindTheLastEndTheCurveIsFlatToTheHorizon() {
        let curve = SurvivalCurve(
            [.init(age: 10, ended: 1, censored: 0), .init(age: 15, ended: 0, censored: 1)],
            shape: .steps, horizon: 110)
        #expect(curve.expectedRemaining(uptime: 10) == 100)
        #expect(curve.expectedRemaining(uptime: 60) == 50)
        #expect(curve.expectedRemaining(uptime: 110) == 0)
        #expect(curve.expectedRemaining(uptime: 1e9) == 0)
    }

    @Test func aCurveOfNothingPredictsNothing() {
        let curve = SurvivalCurve([], shape: .lines)
        #expect(curve.expectedRemaining(uptime: 0) == 0 && curve.expectedRemaining(uptime: 5) == 0)
    }

    private func observations(_ count: Int, vCPU: Int, seconds: Double, hasEnded: Bool = true)
        -> [LifetimeObservation]
    {
        let features = VMFeatures(resources: Resources(milliCPU: vCPU * 1000, memoryMiB: 1024))
        return Array(
            repeating: LifetimeObservation(features: features, seconds: seconds, hasEnded: hasEnded),
            count: count)
    }

    private func features(vCPU: Int) -> VMFeatures {
        VMFeatures(resources: Resources(milliCPU: vCPU * 1000, memoryMiB: 1024))
    }

    @Test func aGroupOfFewEndsBacksOffToAll() {
        let seen =
            observations(50, vCPU: 1, seconds: 100)
            + observations(49, vCPU: 2, seconds: 1000)
            + observations(1, vCPU: 2, seconds: 1000, hasEnded: false)
        let model = StratifiedModel.kaplanMeier(seen, shape: .steps)
        #expect(abs(model.expectedRemaining(uptime: 0, of: features(vCPU: 1)) - 100) < 1e-9)
        let whole = model.whole.expectedRemaining(uptime: 0)
        #expect(whole > 500)
        #expect(model.expectedRemaining(uptime: 0, of: features(vCPU: 2)) == whole)
        #expect(model.expectedRemaining(uptime: 0, of: features(vCPU: 64)) == whole)
    }

    @Test func aFittedLawHasTheMedianOfItsGroup() {
        let seen = observations(30, vCPU: 1, seconds: 100) + observations(30, vCPU: 1, seconds: 400)
        let model = StratifiedModel.logNormal(seen)
        #expect(abs(exp(model.whole.mean) - 200) < 1e-9)
        #expect(abs(model.whole.deviation - log(2)) < 1e-12)
    }

    @Test func aHintIsBelievedAndItsAbsenceIsNot() {
        var known = features(vCPU: 1)
        known.hintSeconds = 500
        let model = HintModel(spread: 0)
        #expect(abs(model.expectedRemaining(uptime: 100, of: known) - 400) < 1e-9)
        #expect(model.expectedRemaining(uptime: 0, of: features(vCPU: 1)).isNaN)
        let other = HintModel(spread: 0, fallback: StratifiedModel.logNormal([]))
        #expect(other.expectedRemaining(uptime: 0, of: features(vCPU: 1)) == 1)
    }

    private struct Fixed: LifetimeModel {
        var answer: Double
        func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double { answer }
    }

    @Test(arguments: [(-5, 1), (0.2, 1), (50, 50), (1e9, 600), (.infinity, 600), (.nan, 600)])
    func answersAreBroughtIntoBounds(answer: Double, expected: Double) {
        let predictor = LifetimePredictor(Fixed(answer: answer), cap: .seconds(600))
        #expect(predictor.remaining(uptime: 0, of: features(vCPU: 1)) == expected)
    }

    @Test func withoutACapAModelThatDoesNotKnowMeansTenYears() {
        let predictor = LifetimePredictor(Fixed(answer: .nan), cap: nil)
        #expect(predictor.remaining(uptime: 0, of: features(vCPU: 1)) == LifetimePredictor.most)
    }

    @Test func classesAreHalfOpen() {
        let hours = [0.0, 0.999, 1, 9.999, 10, 99.999, 100, 1e6]
        #expect(
            hours.map { LifetimeClass(seconds: $0 * 3600) } == [
                .minutes, .minutes, .hours, .hours, .days, .days, .weeks, .weeks,
            ])
    }
}
