import Oversubscription
import Testing

@Suite struct NumericsTests {
    @Test func percentilesLieBetweenRanks() {
        #expect(Percentile.of([], 0.5) == 0)
        #expect(Percentile.of([7], 0.99) == 7)
        #expect(Percentile.of([4, 1, 3, 2], 0.5) == 2.5)
        #expect(abs(Percentile.of([4, 1, 3, 2], 0.9) - 3.7) < 1e-12)
        #expect(Percentile.of([1, 2], 2) == 2 && Percentile.of([1, 2], -1) == 1)
    }

    @Test func momentsOfAFewValues() {
        let moments = Moments([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(moments.mean == 5 && moments.populationVariance == 4)
        #expect(abs(moments.sampleDeviation - (32.0 / 7).squareRoot()) < 1e-12)
        #expect(Moments([]).mean == 0 && Moments([3]).sampleDeviation == 0)
        // A large mean does not eat the deviations.
        #expect(Moments([1e9 + 1, 1e9 + 2, 1e9 + 3]).sampleDeviation == 1)
    }

    @Test func theNormalLawIsItsOwnInverse() {
        for share in [1e-9, 0.001, 0.3, 0.5, 0.99, 1 - 1e-9] {
            #expect(abs(NormalLaw.share(below: NormalLaw.quantile(share)) - share) < 1e-12)
        }
    }

    /// The first numbers and the order that a program in another language makes of the same seed.
    @Test func theGeneratorIsTheSameEverywhere() {
        var generator = LinearCongruence(seed: 7)
        let first = (0..<3).map { _ in generator.next() }
        #expect(first == [1_059_165_278, 2_052_263_231, 1_946_856_753])
        #expect(LinearCongruence.order(8, seed: 7) == [7, 0, 2, 1, 5, 3, 4, 6])
        #expect(LinearCongruence.order(0, seed: 7) == [] && LinearCongruence.order(1, seed: 7) == [0])
    }

    @Test func aSeriesRepeatsWhatCameBeforeAGap() {
        let series = UsageSeries(
            name: "a", cores: 2, startSeconds: 0, stepSeconds: 300,
            samples: [UsageSeries.missing, 5000, UsageSeries.missing, 20_000])
        #expect(series.usedCores(steps: 6) == [0, 1, 1, 2, 2, 2])
        #expect(series.usedCores(steps: 2) == [0, 1])
    }
}
