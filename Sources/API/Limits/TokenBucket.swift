/// Requests per second that a caller may make for long, and how many at once after a pause.
public struct RateLimit: Sendable, Hashable {
    public var perSecond: Double
    public var burst: Double

    /// - Parameters:
    ///   - perSecond: above 0.
    ///   - burst: at least 1.
    public init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }

    /// Why no bucket can follow the limit; nil when it can.
    public var defect: String? {
        if !(perSecond > 0 && perSecond.isFinite) { return "the requests per second must be above 0" }
        if !(burst >= 1 && burst.isFinite) { return "the burst must be at least 1" }
        return nil
    }
}

/// A token bucket as a value: full at first, one token per request, filled at the limit's rate.
package struct TokenBucket: Sendable, Hashable {
    private var tokens: Double
    private var filledAt: Duration

    package init(_ limit: RateLimit, now: Duration) {
        tokens = limit.burst
        filledAt = now
    }

    /// Takes a token.
    /// - Parameter now: time of a monotonic clock; an earlier one than before counts as no time passed.
    /// - Returns: nil when there was one, otherwise how long it takes until there is.
    package mutating func take(_ limit: RateLimit, now: Duration) -> Duration? {
        if now > filledAt {
            tokens = min(limit.burst, tokens + (now - filledAt) / .seconds(1) * limit.perSecond)
            filledAt = now
        }
        guard tokens >= 1 else { return .seconds((1 - tokens) / limit.perSecond) }
        tokens -= 1
        return nil
    }
}

/// Buckets of the callers seen last, in bounded memory.
///
/// Two generations: a bucket that is used moves to the young one; when that is full it becomes the old one
/// and what the old one still held is forgotten. Forgetting gives a caller at most one more burst.
package struct BucketTable: Sendable {
    private let limit: RateLimit
    private let capacity: Int
    private var young: [String: TokenBucket] = [:]
    private var old: [String: TokenBucket] = [:]

    /// - Parameter capacity: buckets kept at most; at least 2.
    package init(_ limit: RateLimit, capacity: Int) {
        self.limit = limit
        self.capacity = capacity
    }

    package var count: Int { young.count + old.count }

    /// As `TokenBucket.take`, for one caller.
    package mutating func take(_ caller: String, now: Duration) -> Duration? {
        if young[caller] == nil {
            if young.count >= capacity / 2 {
                old = young
                young = [:]
            }
            young[caller] = old.removeValue(forKey: caller) ?? TokenBucket(limit, now: now)
        }
        return young[caller]?.take(limit, now: now)
    }
}
