import Fleet
import Testing

@testable import API

/// Token buckets as values, and the table that bounds them.
@Suite struct LimitTests {
    private let limit = RateLimit(perSecond: 10, burst: 3)

    @Test func aBucketGivesItsBurstAndThenItsRate() {
        var bucket = TokenBucket(limit, now: .zero)
        for _ in 0..<3 { #expect(bucket.take(limit, now: .zero) == nil) }
        #expect(bucket.take(limit, now: .zero) == .milliseconds(100))
        #expect(bucket.take(limit, now: .milliseconds(50)) == .milliseconds(50))
        #expect(bucket.take(limit, now: .milliseconds(100)) == nil)
        #expect(bucket.take(limit, now: .milliseconds(100)) == .milliseconds(100))
    }

    @Test func aBucketHoldsNoMoreThanItsBurst() {
        var bucket = TokenBucket(limit, now: .zero)
        let granted = (0..<10).count { _ in bucket.take(limit, now: .seconds(3600)) == nil }
        #expect(granted == 3)
    }

    @Test func aClockThatStepsBackFillsNothing() {
        var bucket = TokenBucket(limit, now: .seconds(10))
        for _ in 0..<3 { #expect(bucket.take(limit, now: .seconds(10)) == nil) }
        #expect(bucket.take(limit, now: .seconds(1)) != nil)
        #expect(bucket.take(limit, now: .seconds(10)) != nil)
    }

    /// Over any run of takes no more than burst + rate × time are granted, and no fewer than asked below it.
    @Test(arguments: 1...20) func grantsFollowTheLimit(seed: UInt64) {
        var random = SeededRandom(seed)
        let limit = RateLimit(
            perSecond: Double.random(in: 0.5...500, using: &random),
            burst: Double(Int.random(in: 1...50, using: &random)))
        var bucket = TokenBucket(limit, now: .zero)
        var now = Duration.zero
        var granted = 0.0
        for _ in 0..<2000 {
            now += .milliseconds(Int.random(in: 0...20, using: &random))
            if let wait = bucket.take(limit, now: now) {
                #expect(wait > .zero && wait <= .seconds(1 / limit.perSecond + 0.001))
            } else {
                granted += 1
            }
            #expect(granted <= limit.burst + limit.perSecond * (now / .seconds(1)) + 1e-6, "seed \(seed)")
        }
    }

    @Test func callersDoNotShareABucketAndMemoryIsBounded() {
        var table = BucketTable(limit, capacity: 100)
        for _ in 0..<3 { #expect(table.take("a", now: .zero) == nil) }
        #expect(table.take("a", now: .zero) != nil && table.take("b", now: .zero) == nil)
        for index in 0..<100_000 {
            _ = table.take("caller \(index)", now: .zero)
            // Who keeps asking is not forgotten.
            if index.isMultiple(of: 20) { #expect(table.take("a", now: .zero) != nil) }
            #expect(table.count <= 100)
        }
    }

    @Test(arguments: [
        RateLimit(perSecond: 0, burst: 1), RateLimit(perSecond: .infinity, burst: 1),
        RateLimit(perSecond: .nan, burst: 1), RateLimit(perSecond: 1, burst: 0.5),
        RateLimit(perSecond: 1, burst: .nan),
    ])
    func aLimitThatNobodyCanFollowIsRefused(_ limit: RateLimit) {
        var limits = TrafficLimits()
        #expect(limits.defect == nil)
        limits.token = limit
        #expect(limits.defect?.hasPrefix("token: ") == true)
    }
}

/// Numbers that repeat for a seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
