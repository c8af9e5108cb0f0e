import Fleet
import Testing
import VMPlacement

@Suite struct DrainTests {
    /// Remaining minutes of a to e, which started a minute after one another.
    private static let remaining = [5.0, 30, 70, 200, 15]

    private func candidates(_ remaining: [Double] = remaining) -> [DrainCandidate] {
        remaining.enumerated().map { index, minutes in
            let started = Timestamp(microseconds: epoch.microseconds - Int64(10 - index) * 60_000_000)
            let ends = epoch.advanced(by: .seconds(minutes * 60))
            var features = VMFeatures(resources: Resources(milliCPU: 1000, memoryMiB: 1024 * (1 + index % 3)))
            features.hintSeconds = ends.since(started).inSeconds
            return DrainCandidate(
                number: index, lifetime: VMLifetime(features: features, startedAt: started), endsAt: ends)
        }
    }

    private func run(_ order: DrainOrder, slots: Int = 1, _ remaining: [Double] = remaining)
        -> HostDrain.Outcome
    {
        HostDrain(order: order, slots: slots, length: .seconds(1200)).run(
            candidates(remaining), from: epoch,
            predictor: LifetimePredictor(HintModel(spread: 0), cap: nil), seed: 3)
    }

    /// The vector of the specification.
    @Test func theLongestFirstMovesTheFewest() {
        #expect(run(.lars).moved == [3, 2] && run(.lars).avoided == 3)
        #expect(run(.oracle) == run(.lars))
        #expect(run(.shortest).moved == [0, 1, 2, 3])
        #expect(run(.creation).moved == [0, 1, 2, 3])
    }

    @Test func theHostIsEmptyWhenTheLastHasLeftOrEnded() {
        #expect(run(.lars).taken == .seconds(40 * 60))
        #expect(run(.lars, slots: 5).taken == .seconds(20 * 60))
        #expect(run(.lars, slots: 5).moved.count == 5)
        #expect(run(.lars, [5, 6]).taken == .seconds(6 * 60))
    }

    @Test func sizeAndSeedDecideWhereTheyAreAsked() {
        // c is the largest; then b, of two; then d.
        #expect(run(.biggest).moved == [2, 1, 3])
        #expect(run(.random) == run(.random))
        let orders = Set(
            (0..<20 as Range<UInt64>).map { seed in
                HostDrain(order: .random, slots: 1, length: .seconds(60)).run(
                    candidates(), from: epoch,
                    predictor: LifetimePredictor(HintModel(spread: 0), cap: nil), seed: seed
                ).moved
            })
        #expect(orders.count > 5)
    }

    @Test func anEmptyHostIsEmptyAtOnce() {
        #expect(run(.lars, []) == HostDrain.Outcome())
        #expect(run(.lars, [-1]) == HostDrain.Outcome())
    }

    @Test(arguments: DrainOrder.allCases)
    func everyVMMovesOrEnds(order: DrainOrder) {
        var random = SeededRandom(seed: 11)
        for _ in 0..<50 {
            let remaining = (0..<random.below(30)).map { _ in Double(1 + random.below(300)) }
            let outcome = run(order, slots: 1 + random.below(4), remaining)
            #expect(outcome.moved.count + outcome.avoided == remaining.count)
            #expect(Set(outcome.moved).count == outcome.moved.count)
        }
    }
}
