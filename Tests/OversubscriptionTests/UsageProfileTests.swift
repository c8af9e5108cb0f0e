import Oversubscription
import Testing

@Suite struct UsageProfileTests {
    /// Hours of days in which one of three eight-hour windows is busy.
    private func hours(days: Int, busy: Int, peak: Double) -> [UsageProfile.Hour] {
        (0..<days * 24).map { .init(index: $0, peak: $0 % 24 / 8 == busy ? peak : 0.2) }
    }

    @Test func whatIsNotKnownCountsWhole() {
        #expect(UsageProfile([]).peaks(cores: 4) == [4, 4, 4, 4, 4, 4])
        let morning = UsageProfile((0..<4).map { .init(index: $0, peak: 1) })
        let peaks = morning.peaks(cores: 4)
        #expect(peaks[0] < 1.1 && peaks[0] >= 1 && peaks.dropFirst().allSatisfy { $0 == 4 })
    }

    @Test func vmsThatAreBusyAtOtherTimesShareCores() {
        let peaks = (0..<3).map {
            UsageProfile(hours(days: 7, busy: $0, peak: 3), windows: 3).peaks(cores: 4)
        }
        let together = UsageProfile.sharedPeak(peaks)
        #expect(together > 3.4 && together < 3.8)
        #expect(UsageProfile.sharedPeak([]) == 0)
    }

    @Test func theLimitIsNeverExceededAndThePastFades() {
        #expect(UsageProfile(hours(days: 3, busy: 0, peak: 9), windows: 3).peaks(cores: 4)[0] == 4)
        // Three busy weeks long ago, then as many calm ones.
        let past = hours(days: 21, busy: 0, peak: 3)
        let calm = (21 * 24..<63 * 24).map { UsageProfile.Hour(index: $0, peak: 0.5) }
        let peaks = UsageProfile(past + calm, windows: 3).peaks(cores: 4, percentile: 0.95)
        #expect(peaks[0] < 0.6)
        // The order in which hours are told does not matter.
        #expect(UsageProfile((past + calm).reversed(), windows: 3) == UsageProfile(past + calm, windows: 3))
    }

    @Test func moreUseNeverLowersAPeak() {
        var random = LinearCongruence(seed: 4)
        for _ in 0..<200 {
            var hours = (0..<48).map { UsageProfile.Hour(index: $0, peak: Double(random.next() % 400) / 100) }
            let before = UsageProfile(hours).peaks(cores: 4)
            hours[Int(random.next() % 48)].peak += 1
            let after = UsageProfile(hours).peaks(cores: 4)
            #expect(zip(before, after).allSatisfy { $0 <= $1 })
        }
    }
}
