import Oversubscription
import Testing

@Suite struct PredictorTests {
    /// VM 1 uses 1, 2, 3, 4 of 4 cores, VM 2 uses 1, 0, 1, 0 of 2; a third comes in the last step.
    private let steps = [
        [VMSample(vm: 1, usage: 1, limit: 4), VMSample(vm: 2, usage: 1, limit: 2)],
        [VMSample(vm: 1, usage: 2, limit: 4), VMSample(vm: 2, usage: 0, limit: 2)],
        [VMSample(vm: 1, usage: 3, limit: 4), VMSample(vm: 2, usage: 1, limit: 2)],
        [
            VMSample(vm: 1, usage: 4, limit: 4), VMSample(vm: 2, usage: 0, limit: 2),
            VMSample(vm: 3, usage: 0.5, limit: 8),
        ],
    ]

    private func last(_ predictor: some PeakPredictor, of steps: [[VMSample]]? = nil) -> Double {
        var predictor = predictor
        var prediction = 0.0
        for (step, vms) in (steps ?? self.steps).enumerated() {
            prediction = predictor.observe(vms, step: step)
        }
        return prediction
    }

    private func warm(_ rule: some PeakRule) -> Double { last(HostPredictor(rule, minimumSamples: 2)) }

    private func close(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) < 1e-12 }

    @Test func aVMThatIsNewCountsWithItsLimit() {
        #expect(warm(LargestSeenRule()) == 4 + 1 + 8)
        #expect(last(HostPredictor(LargestSeenRule(), minimumSamples: 1)) == 4 + 1 + 0.5)
        // With four samples wanted, the two old VMs are warm in the very step that brings the fourth.
        #expect(last(HostPredictor(LargestSeenRule(), minimumSamples: 4)) == 4 + 1 + 8)
        #expect(last(HostPredictor(LargestSeenRule(), minimumSamples: 5)) == 4 + 2 + 8)
    }

    @Test func aVMThatLeavesIsForgotten() {
        let gone = [[VMSample(vm: 1, usage: 4, limit: 4)], [], [VMSample(vm: 1, usage: 1, limit: 4)]]
        #expect(last(HostPredictor(LargestSeenRule(), minimumSamples: 1), of: gone) == 1)
        #expect(last(HostPredictor(LargestSeenRule(), minimumSamples: 2), of: gone) == 4)
    }

    @Test func usageIsBroughtWithinTheLimit() {
        let wild = [[VMSample(vm: 1, usage: 9, limit: 4), VMSample(vm: 2, usage: -1, limit: 2)]]
        #expect(last(HostPredictor(LargestSeenRule(), minimumSamples: 1), of: wild) == 4)
        #expect(PeakOracle.peak(from: 0, horizon: 5, in: wild) == 4)
    }

    @Test func limitsAndSharesOfThem() {
        #expect(warm(LimitRule()) == 14)
        #expect(close(warm(LimitRule(share: 0.9)), 0.9 * 6 + 8))
    }

    @Test func percentilesOfVMsAndOfTheMachine() {
        // Medians of 1/4…4/4 and of 0 and 1/2; of the sums 2, 2, 4, 4 of 6.
        #expect(close(warm(VMPercentileRule(percentile: 0.5, history: 4)), 0.625 * 4 + 0.25 * 2 + 8))
        #expect(close(warm(MachinePercentileRule(percentile: 0.5, history: 4)), 3 + 8))
        #expect(close(warm(MachinePercentileRule(percentile: 1, history: 2)), 4 + 8))
    }

    @Test func sigmasOfTheMachine() {
        // 2, 2, 4, 4 of 6: mean 1/2, sample deviation √(1/27).
        let deviation = (4.0 / 36 / 3).squareRoot()
        #expect(close(warm(NSigmaRule(sigmas: 1, history: 4)), (0.5 + deviation) * 6 + 8))
        #expect(warm(NSigmaRule(sigmas: 100, history: 4)) == 6 + 8)
    }

    @Test func aYoungVMIsAbsentFromTheAgesBeforeIt() {
        let young = [
            [VMSample(vm: 1, usage: 4, limit: 4)],
            [VMSample(vm: 1, usage: 2, limit: 4), VMSample(vm: 2, usage: 0, limit: 4)],
        ]
        // 4 of 4 in the first step, 2 of 8 in the second.
        let rule = MachinePercentileRule(percentile: 1, history: 4)
        #expect(last(HostPredictor(rule, minimumSamples: 1), of: young) == 8)
    }

    @Test func chancesOfExceedingABound() {
        #expect(close(ChanceBound.cantelli.factor(chance: 0.01), 99.0.squareRoot()))
        #expect(abs(ChanceBound.gaussian.factor(chance: 0.001) - 3.090232306167813) < 1e-9)
        #expect(abs(ChanceBound.hoeffding.factor(chance: 0.01) - 1.5174271293851465) < 1e-9)
        // Means 2.5 and 0.5, population variances 1.25 and 0.25.
        let chance = 0.2
        let gauss = 3 + NormalLaw.quantile(1 - chance) * 1.5.squareRoot()
        #expect(close(warm(ChanceRule(.gaussian, chance: chance, history: 4)), gauss + 8))
        #expect(close(warm(ChanceRule(.cantelli, chance: chance, history: 4)), 3 + 2 * 1.5.squareRoot() + 8))
        #expect(warm(ChanceRule(.hoeffding, chance: 0.001, history: 4)) == 6 + 8)
    }

    @Test func windowsOfTheDay() {
        // Two windows of two steps; the third VM has not lived through the first and counts there in full.
        let rule = WindowRule(DayWindows(2, stepsPerDay: 4), percentile: 1, days: 1)
        #expect(last(HostPredictor(rule, minimumSamples: 1)) == 11)
    }

    @Test func histogramsForget() {
        var histogram = DecayingHistogram(.init(firstBucket: 1, growth: 2, largest: 100, halfLife: 1))
        #expect(histogram.percentile(0.5) == 0)
        histogram.add(2, step: 0)
        // The bucket of 1 to 3.
        #expect(histogram.percentile(1) == 3)
        for step in 1...10 { histogram.add(0, step: step) }
        #expect(histogram.percentile(0.99) == 1 && histogram.percentile(1) == 3)
        // Weights are scaled down on the way: nothing overflows, and the old value counts no more.
        for step in stride(from: 11, through: 5000, by: 37) { histogram.add(0, step: step) }
        #expect(histogram.percentile(0.999_999) == 1)
        #expect(warm(HistogramRule(percentile: 1, margin: 1)) == 4 + 2 + 8)
    }

    @Test func theGreatestOfSeveral() {
        let both = MaxOf([
            HostPredictor(LargestSeenRule(), minimumSamples: 1),
            HostPredictor(NSigmaRule(sigmas: 0, history: 4), minimumSamples: 1),
        ])
        // 4.5 of 14, 4 of 6, 2 of 6 and 2 of 6 are more than 4, 1 and 0.5.
        let mean = (4.5 / 14 + 4.0 / 6 + 2.0 / 6 + 2.0 / 6) / 4
        #expect(close(last(both), mean * 14))
    }

    @Test func theOracleKnowsWhoIsThereAndWhoGoes() {
        // Who comes later is left out.
        #expect(PeakOracle.peak(from: 0, horizon: 3, in: steps) == 4)
        #expect(PeakOracle.peak(from: 3, horizon: 3, in: steps) == 4.5)
        #expect(PeakOracle.peak(from: 0, horizon: 1, in: steps) == 2)
        #expect(PeakOracle.peak(from: 0, horizon: 1, in: [[VMSample(vm: 1, usage: 1, limit: 4)], []]) == 1)
    }

    /// More use in the past never lowers what the sum of peaks predicts.
    @Test(arguments: 1...20)
    func moreUseNeverLowersThePeak(seed: UInt64) {
        var random = LinearCongruence(seed: seed)
        let calm = (0..<30).map { _ in
            (0..<4).map { VMSample(vm: $0, usage: Double(random.next() % 100) / 50, limit: 4) }
        }
        let busy = calm.map { $0.map { VMSample(vm: $0.vm, usage: $0.usage + 0.5, limit: $0.limit) } }
        let rules: [any PeakPredictor] = [
            HostPredictor(LargestSeenRule(), minimumSamples: 3),
            HostPredictor(VMPercentileRule(percentile: 0.9, history: 20), minimumSamples: 3),
            HostPredictor(HistogramRule(), minimumSamples: 3),
        ]
        for rule in rules { #expect(last(rule, of: calm) <= last(rule, of: busy), "seed \(seed)") }
    }
}

extension PredictorTests {
    private func last(_ predictor: any PeakPredictor, of steps: [[VMSample]]) -> Double {
        var predictor = predictor
        return steps.indices.map { predictor.observe(steps[$0], step: $0) }.last ?? 0
    }
}
