import Oversubscription
import Testing

@Suite struct ProtoRateTests {
    /// Scopes that are busy at other hours of the day, with noise.
    private func scopes(_ count: Int = 6, hours: Int = 480, seed: UInt64 = 1) -> [ScopePeaks] {
        var random = LinearCongruence(seed: seed)
        return (0..<count).map { scope in
            let peaks = (0..<hours).map { hour in
                let isBusy = (hour % 24) / 8 == scope % 3
                return (isBusy ? 0.5 : 0.1) + Double(random.next() % 1000) / 10_000
            }
            return ScopePeaks(peaks: peaks, concentration: 0.2, cores: 100)
        }
    }

    private func settings(_ target: Double = 0.05) -> ProtoRateSettings { ProtoRateSettings(target: target) }

    /// What comes later changes nothing that was decided: no feature, scale, prototype or margin sees it.
    @Test(arguments: [UInt64(1), 2, 3])
    func aShuffledFutureChangesNothing(seed: UInt64) throws {
        let split = try #require(RateSplit(hours: 480))
        let known = scopes(seed: seed)
        for policy in [
            RatePolicy.protoRate(settings()), .regression(.pinball(0.95)), .recent(hours: 168),
            .sameHour(days: 7),
            .scopePercentile(0.99), .commonPercentile(0.99),
        ] {
            let before = policy.shares(of: known, split)
            for hour in [split.test.lowerBound, split.test.lowerBound + 20] {
                let order = LinearCongruence.order(480 - hour, seed: seed)
                let shuffled = known.map { scope in
                    var scope = scope
                    scope.peaks = Array(scope.peaks[..<hour]) + order.map { 1 - scope.peaks[hour + $0] }
                    return scope
                }
                let after = policy.shares(of: shuffled, split)
                let same = hour - split.test.lowerBound + 1
                #expect(
                    before.map { $0.prefix(same) } == after.map { $0.prefix(same) }, "\(policy), seed \(seed)"
                )
            }
        }
        // The test is one: who knows the future decides otherwise.
        let oracle = RatePolicy.oracle.shares(of: known, split)
        #expect(oracle[0][0] == known[0].peaks[split.test.lowerBound])
    }

    /// Of hours that are alike, the share that the margin promises is above it.
    @Test(arguments: [0.01, 0.05, 0.2])
    func theMarginCoversWhatItPromises(chance: Double) {
        let tries = 4000
        let seeds: [UInt64] = [1, 2, 3]
        var above = 0
        for seed in seeds {
            var random = LinearCongruence(seed: seed)
            func draw() -> Double { Double(random.next() % 1_000_000) / 1_000_000 }
            let margin = ConformalMargin((0..<40_000).map { _ in draw() * draw() }).margin(chance: chance)
            above += (0..<tries).count { _ in draw() * draw() > margin }
        }
        let count = Double(tries * seeds.count)
        #expect(abs(Double(above) / count - chance) < 2 * (chance * (1 - chance) / count).squareRoot())
    }

    @Test func marginsAreRanks() {
        let margin = ConformalMargin([3, 1, 2, 4, 5, 6, 7, 8, 9])
        #expect(margin.margin(chance: 0.1) == 9 && margin.margin(chance: 0.2) == 8)
        #expect(margin.margin(chance: 0.5) == 5 && margin.margin(chance: 1) == 1)
        // Too few for the chance: the greatest, and no more is promised.
        #expect(margin.margin(chance: 0.001) == 9 && ConformalMargin([]).margin(chance: 0.1) == 0)
    }

    @Test func aModelOfStationaryScopesKeepsItsTarget() throws {
        let split = try #require(RateSplit(hours: 960))
        let known = scopes(12, hours: 960)
        let policy = RatePolicy.protoRate(settings())
        let outcome = RateOutcome(shares: policy.shares(of: known, split), scopes: known, split)
        let rows = Double(12 * split.test.count)
        #expect(outcome.risk < 0.05 + 2 * (0.05 * 0.95 / rows).squareRoot())
        #expect(outcome.benefit > 0.5)
    }

    @Test func aPrototypeIsNeverBolderThanTheWhole() throws {
        // Scope 0 alone has a shape of its own, and is calm while the margin is calibrated: 62 hours are too
        // few for a margin of its own, and its calm must not count.
        let split = try #require(RateSplit(hours: 480))
        let known = scopes()
        let model = ProtoRateModel(known, split, settings())
        let past = known[0].peaks[..<split.test.lowerBound]
        let peaks = model.prototypes.centres.indices.map {
            model.peak(after: past, prototype: $0, chance: 0.05)
        }
        #expect(model.prototypes.centres.count > 1 && Set(peaks).count == 1)
        var floorless = settings()
        floorless.leastResiduals = 1
        let bold = ProtoRateModel(known, split, floorless)
        for prototype in bold.prototypes.centres.indices {
            #expect(bold.peak(after: past, prototype: prototype, chance: 0.05) >= peaks[0])
        }
        #expect(model.aim < 0.05 && model.aim > 0.025)
    }

    private func decider(_ change: (inout ProtoRateSettings) -> Void = { _ in }) throws -> (
        RateDecider, [Double]
    ) {
        let split = try #require(RateSplit(hours: 480))
        let known = scopes()
        var settings = settings()
        change(&settings)
        let model = ProtoRateModel(known, split, settings)
        return (RateDecider(model, prototypes: known.map { model.prototype(of: $0, split) }), known[0].peaks)
    }

    @Test func aShareRisesAtOnceAndFallsSlowly() throws {
        var (decider, peaks) = try decider()
        // Scope 0 is busy until 8 o'clock.
        let high = decider.decide(0, past: peaks[..<463], hour: 463)
        let next = decider.decide(0, past: peaks[..<464], hour: 464)
        #expect(next.reasons == [.slew] && abs(next.share - (high.share - 0.05)) < 1e-12)
        let again = decider.decide(0, past: peaks[..<463], hour: 463)
        #expect(again.share == high.share && again.reasons.isEmpty)
        #expect(abs(high.ratio * high.share - 1) < 1e-12)
    }

    @Test func whatIsNotKnownFallsBackToTheClass() throws {
        var (decider, peaks) = try decider { $0.classDefault = 0.9 }
        #expect(decider.decide(0, past: peaks[..<23], hour: 23).share == 0.9)
        #expect(decider.decide(1, past: peaks[..<23], hour: 23).reasons == [.cold])
        let stale = decider.decide(2, past: peaks[...], hour: 480, .init(isStale: true))
        #expect(stale.share == 0.9 && stale.reasons == [.stale])
    }

    @Test func hotHoursMakeItCarefulAndAreSeenAsADrift() throws {
        var (decider, peaks) = try decider { $0.classDefault = 0.9 }
        let first = decider.decide(0, past: peaks[...], hour: 480)
        let chance = decider.chance
        decider.observe([1, 0, 0, 0, 0, 0])
        #expect(decider.chance < chance && !first.reasons.contains(.drift))
        // Eight hot hours in 48 where one in twenty is meant: less likely than one in a hundred.
        for hour in 0..<7 {
            _ = decider.decide(0, past: peaks[...], hour: 481 + hour)
            decider.observe([1, 0, 0, 0, 0, 0])
        }
        let drifting = decider.decide(0, past: peaks[...], hour: 490)
        #expect(drifting.reasons == [.drift] && drifting.share >= 0.9)
        #expect(decider.decide(1, past: peaks[...], hour: 490).reasons.isEmpty)
        for _ in 0..<2000 { decider.observe([1, 1, 1, 1, 1, 1]) }
        #expect(decider.chance == 0.001)
        for _ in 0..<2000 { decider.observe([0, 0, 0, 0, 0, 0]) }
        #expect(decider.chance == 0.5)
        #expect(!decider.decide(0, past: peaks[...], hour: 9000).reasons.contains(.drift))
    }

    @Test func peopleHaveTheLastWord() throws {
        var (decider, peaks) = try decider()
        func constraint(_ verb: RateConstraint.Verb, until hour: Int? = nil) -> RateConstraint {
            RateConstraint(verb, author: "ada", reason: "batch", expiresAt: hour)
        }
        let pinned = decider.decide(
            0, past: peaks[...], hour: 480, .init(constraints: [constraint(.pin(share: 0.03))]))
        #expect(pinned.share == 0.03 && pinned.reasons == [.constraint])
        func apply(_ constraints: [RateConstraint], hour: Int = 480) -> Double {
            RateConstraint.apply(constraints, to: 0.4, hour: hour)
        }
        #expect(apply([]) == 0.4 && apply([constraint(.cap(leastShare: 0.3))]) == 0.4)
        #expect(apply([constraint(.cap(leastShare: 0.5)), constraint(.cap(leastShare: 0.6))]) == 0.6)
        #expect(apply([constraint(.pin(share: 0.2)), constraint(.pin(share: 0.25))]) == 0.25)
        #expect(apply([constraint(.pin(share: 0.2)), constraint(.exclude)]) == 1)
        #expect(
            apply([constraint(.exclude, until: 480)]) == 0.4 && apply([constraint(.exclude, until: 481)]) == 1
        )
    }
}

@Suite struct LearningTests {
    private let rows: [[Double]] = (0..<200).map { [Double($0), Double($0 * $0 % 17)] }

    @Test(arguments: [AsymmetricLoss.pinball(0.9), .expectile(0.5), .expectile(0.9)])
    func aLineIsFound(loss: AsymmetricLoss) {
        let model = LinearModel(rows: rows, targets: rows.map { 3 + 2 * $0[0] - $0[1] }, loss: loss, ridge: 0)
        #expect(abs(model.predict([10, 5]) - 18) < 1e-6)
    }

    @Test func aPinballIsAQuantileAndAnExpectileIsNot() {
        let constant = (0..<1000).map { _ in [0.0] }
        let targets = (0..<1000).map { Double($0) / 1000 }
        let quantile = LinearModel(rows: constant, targets: targets, loss: .pinball(0.9), ridge: 0.001)
        #expect(abs(quantile.predict([0]) - 0.9) < 0.01)
        // Of the uniform law: e² (1 − q) = (1 − e)² q, which is 3/4 at q = 0.9.
        let expectile = LinearModel(rows: constant, targets: targets, loss: .expectile(0.9), ridge: 0.001)
        #expect(abs(expectile.predict([0]) - 0.75) < 0.01)
    }

    @Test func equalColumnsAndNoRowsAreNoTrouble() {
        let twice = rows.map { [$0[0], $0[0]] }
        let model = LinearModel(rows: twice, targets: rows.map { $0[0] }, loss: .expectile(0.5), ridge: 0)
        #expect(abs(model.predict([7, 7]) - 7) < 1e-6)
        #expect(LinearModel(rows: [], targets: [], loss: .pinball(0.5), ridge: 0).predict([]) == 0)
    }

    @Test func shapesThatAreAlikeHaveOnePrototype() {
        let shapes: [[Double]] = [[0, 0], [0, 1], [10, 10], [10, 11], [0, 0.5]]
        let prototypes = Prototypes(of: shapes, count: 2)
        let found = shapes.map { prototypes.nearest(to: $0) }
        #expect(found[0] == found[1] && found[0] == found[4] && found[2] == found[3] && found[0] != found[2])
        // No more than there are different shapes.
        #expect(Prototypes(of: [[1], [1], [2]], count: 6).centres.count == 2)
    }

    @Test func peopleSplitAndMergeShapes() {
        let shapes: [[Double]] = [[0, 0], [0, 1], [10, 0], [10, 1]]
        func groups(_ edits: [PrototypeEdit]) -> [Int] {
            let prototypes = Prototypes(of: shapes, count: 2, edits: edits)
            return shapes.map { prototypes.nearest(to: $0) }
        }
        let plain = groups([])
        #expect(plain[0] == plain[1] && plain[2] == plain[3] && plain[0] != plain[2])
        #expect(Set(groups([.merge(1, 0)])).count == 1)
        let split = groups([.split(plain[0])])
        #expect(Set(split).count == 3 && split[0] != split[1] && split[2] == split[3])
        // What was split and is merged again is what it was; words about shapes that are not there are idle.
        #expect(groups([.split(plain[0]), .merge(plain[0], 2)]) == plain)
        #expect(groups([.split(7), .merge(0, 7), .merge(1, 1)]) == plain)
        #expect(Prototypes(of: [[1], [1]], count: 1, edits: [.split(0)]).centres.count == 1)
    }

    @Test func aShapeIsWhenAScopeIsBusyAndNotHowMuch() {
        let day = (0..<48).map { $0 % 24 < 8 ? 0.2 : 0.1 }
        let calm = Prototypes.shape(of: day[...], firstHour: 0, concentration: 0.3)
        let busy = Prototypes.shape(of: day.map { $0 * 3 }[...], firstHour: 0, concentration: 0.3)
        #expect(zip(calm, busy).allSatisfy { abs($0 - $1) < 1e-9 } && calm.count == 25)
        let later = Prototypes.shape(of: day[...], firstHour: 8, concentration: 0.3)
        #expect(abs(later[8] - calm[0]) < 1e-9)
        #expect(Prototypes.shape(of: [0.1, 0.1], firstHour: 0, concentration: 1).allSatisfy { $0.isFinite })
    }

    @Test func countsOfSuccesses() {
        #expect(BinomialLaw.share(atLeast: 0, of: 3, chance: 0.5) == 1)
        #expect(abs(BinomialLaw.share(atLeast: 2, of: 3, chance: 0.5) - 0.5) < 1e-12)
        #expect(abs(BinomialLaw.share(atLeast: 3, of: 48, chance: 0.01) - 0.012_374) < 1e-5)
        #expect(BinomialLaw.share(atLeast: 4, of: 3, chance: 0.5) == 0)
    }

    @Test func featuresAreOfTheHoursBefore() {
        let peaks = (0..<200).map { Double($0) }
        // Of hour 190: 166 a day before; the last is 189, the week's mean that of 22 to 189.
        #expect(ScopeFeatures.of(past: peaks[..<190]) == [166, 189, 189, 105.5])
        #expect(ScopeFeatures.of(past: [3]) == [0, 3, 3, 3] && ScopeFeatures.of(past: []) == [0, 0, 0, 0])
    }

    @Test func theHoursAreCutInTheOrderOfTime() {
        let split = RateSplit(hours: 720)
        #expect(split?.fit == 168..<499 && split?.calibrate == 499..<609 && split?.test == 609..<720)
        #expect(RateSplit(hours: 172) == nil && RateSplit(hours: 173)?.test.count == 1)
    }

    @Test func outcomesOfDecidedShares() throws {
        let split = try #require(RateSplit(hours: 173))
        let scope = ScopePeaks(used: [Array(repeating: 1, count: 346)], cores: [2], stepsPerHour: 2)
        #expect(
            scope.peaks == Array(repeating: 0.5, count: 173) && scope.concentration == 1 && scope.cores == 2)
        let outcome = RateOutcome(shares: [[0.4], [0.6]], scopes: [scope, scope], split)
        #expect(outcome.risk == 0.5 && abs(outcome.severity - 0.1) < 1e-12 && outcome.benefit == 0.5)
    }
}
