import Fleet
import Testing

@testable import Control

@Suite struct RatePlannerTests {
    /// Hours from 1970 of some midnight.
    private static let midnight = 480_000

    /// Days that rise from a fifth of the vCPUs to `peak` at noon, a little different from day to day.
    static func profile(peak: Double = 0.4, hours: Int = 1344, endingAt end: Int = midnight) -> ScopeProfile {
        let peaks = (0..<hours).map { index in
            let hour = (end - hours + index) % 24
            let noon = 1 - abs(Double(hour) - 12) / 12
            let wobble = Double((index * 7919) % 101) / 101 * 0.02
            return 0.2 + (peak - 0.2) * noon + wobble
        }
        return ScopeProfile(peaks: peaks, firstHour: end - hours, concentration: 0.1, milliCPU: 96_000)
    }

    private static func subject(
        _ name: String = "vms", _ profile: ScopeProfile = profile(), ratio: Int = 1000, generation: Int = 1,
        _ edit: (inout OversubscriptionRules) -> Void = { _ in }
    ) -> RatePlanner.Subject {
        var rules = OversubscriptionRules(mode: .managed, ratioMaxPerMille: 4000)
        edit(&rules)
        let scope = RateScope(.pool, name)
        return RatePlanner.Subject(
            scope: scope, policy: PolicyVersion(name: "careful", version: 1), rules: rules,
            rate: ScopeRate(scope: scope, ratioPerMille: ratio, generation: generation), ratioPerMille: ratio,
            profile: profile)
    }

    private static func only(_ subject: RatePlanner.Subject) throws -> RatePlanner.Outcome {
        try #require(RatePlanner.decide([subject], hour: midnight).first)
    }

    @Test func aRatioFollowsUseStepByStepAndStopsWhereTheRiskIs() throws {
        var ratio = 1000
        var ratios: [Int] = []
        for _ in 0..<12 {
            let outcome = try Self.only(Self.subject(ratio: ratio))
            #expect(outcome.asks.isEmpty)
            #expect(outcome.ratioPerMille - ratio <= 250)
            ratio = outcome.ratioPerMille
            ratios.append(ratio)
        }
        // At midnight a fifth of the vCPUs is in use, and at noon two fifths, which counts all day.
        #expect(ratios.first == 1250 && ratios.sorted() == ratios, "\(ratios)")
        #expect((2200...2450).contains(ratio), "\(ratios)")
        let settled = try Self.only(Self.subject(ratio: ratio))
        #expect(settled.ratioPerMille == ratio)
        #expect(settled.evidence.typicalDay.count == 24 && settled.evidence.worstDay.count == 24)
        #expect(settled.evidence.benefitMilliCPU == 96_000 - 96_000 * 1000 / ratio)
    }

    @Test func whatRisesForTheFirstTimeIsAsked() throws {
        #expect(try Self.only(Self.subject(generation: 0)).asks == [.first])
        #expect(try Self.only(Self.subject(generation: 0) { $0.review = .never }).asks == [])
        #expect(try Self.only(Self.subject { $0.review = .always }).asks == [.always])
        #expect(try Self.only(Self.subject(generation: 0) { $0.mode = .shadow }).asks == [])
        // What falls is asked of nobody.
        let busy = Self.profile(peak: 0.95)
        let falling = try Self.only(Self.subject("vms", busy, ratio: 3500, generation: 0))
        #expect(falling.ratioPerMille == 3000 && falling.asks == [])
        #expect(falling.evidence.notes.contains(.step))
    }

    @Test func boundsHold() throws {
        let bounded = try Self.only(Self.subject { $0.ratioMaxPerMille = 1100 })
        #expect(bounded.ratioPerMille == 1100 && bounded.evidence.notes.contains(.bounds))
        let floor = try Self.only(
            Self.subject("vms", Self.profile(peak: 0.95), ratio: 1600) { $0.ratioMinPerMille = 1500 })
        #expect(floor.ratioPerMille == 1500)
    }

    @Test func withoutHistoryNothingIsDecidedAndWithoutFreshHoursItGoesDown() throws {
        let cold = Self.subject("vms", Self.profile(hours: 335))
        #expect(RatePlanner.decide([cold], hour: Self.midnight) == [])
        let late = Self.profile(endingAt: Self.midnight - RatePlanner.staleHours - 1)
        let stale = try Self.only(Self.subject("vms", late, ratio: 2000))
        #expect(stale.ratioPerMille == 1500 && stale.evidence.notes == [.stale])
        var excluded = Self.subject()
        excluded.constraints = [
            ScopeConstraint(
                id: CountedIDs().id(), scope: excluded.scope, verb: .exclude, author: "user/ann",
                reason: "tests", createdAt: Timestamp(microseconds: 0))
        ]
        #expect(RatePlanner.decide([excluded], hour: Self.midnight) == [])
    }

    @Test func whatPeopleSayOfShapesIsLearntWith() throws {
        // Busy at noon, and busy at midnight.
        var night = Self.profile()
        night.peaks = night.peaks.map { 0.62 - $0 }
        let both = [Self.subject("days"), Self.subject("nights", night)]
        func members(_ subjects: [RatePlanner.Subject]) -> [Int] {
            RatePlanner.decide(subjects, hour: Self.midnight).map(\.evidence.members.count)
        }
        #expect(members(both) == [1, 1])
        func answered(_ verb: ScopeConstraint.Verb, _ prototypes: [Int]) -> [RatePlanner.Subject] {
            let answer = ScopeConstraint(
                id: CountedIDs().id(), scope: both[0].scope, verb: verb, prototypes: prototypes,
                author: "user/ann", reason: "tests", createdAt: Timestamp(microseconds: 0))
            var subjects = both
            subjects[0].constraints = [answer]
            return subjects
        }
        #expect(members(answered(.merge, [0, 1])) == [2, 2])
        let one = both.map { subject in
            var subject = subject
            subject.rules.parameters = .init(prototypes: 1)
            return subject
        }
        #expect(members(one) == [2, 2])
        var split = answered(.split, [0])
        for index in split.indices { split[index].rules = one[index].rules }
        #expect(members(split) == [1, 1])
    }

    @Test func equalInputsGiveEqualDecisionsInAnyOrder() {
        let subjects = (0..<5).map { Self.subject("p\($0)", Self.profile(peak: 0.3 + 0.1 * Double($0))) }
        let forth = RatePlanner.decide(subjects, hour: Self.midnight)
        let back = RatePlanner.decide(subjects.reversed(), hour: Self.midnight)
        #expect(forth == back && forth.map(\.subject.scope.name) == ["p0", "p1", "p2", "p3", "p4"])
        #expect(Set(forth.map(\.evidence.inputsHash)).count == 5)
    }

    /// Whatever the history is, a ratio is sold once at least and within the steps.
    @Test(arguments: 0..<20) func historiesOfAnyKindAreSurvived(_ seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func next() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 33) / Double(UInt64(1) << 31)
        }
        let scopes = (0..<Int(next() * 4) + 1).map { index in
            let hours = 336 + Int(next() * 400)
            let flat = next() < 0.3
            let peaks = (0..<hours).map { _ in flat ? 0 : min(1, next()) }
            return Self.subject(
                "p\(index)",
                ScopeProfile(
                    peaks: peaks, firstHour: Self.midnight - hours, concentration: next(),
                    milliCPU: Int(next() * 10_000)), ratio: 1000 + Int(next() * 3000))
        }
        for outcome in RatePlanner.decide(scopes, hour: Self.midnight) {
            #expect(RatioLimit.perMille.contains(outcome.ratioPerMille))
            #expect(outcome.ratioPerMille <= outcome.subject.ratioPerMille + 250)
            #expect(outcome.ratioPerMille >= outcome.subject.ratioPerMille - 500)
            #expect(outcome.evidence.benefitMilliCPU >= 0 && (0...1).contains(outcome.evidence.risk))
        }
    }
}
