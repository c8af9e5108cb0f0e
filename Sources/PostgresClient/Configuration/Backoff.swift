/// Waiting times that double up to a limit, each shortened by up to half so that many waiters spread.
public struct Backoff: Sendable, Hashable {
    public var initial: Duration
    public var maximum: Duration

    public init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The wait before attempt `attempt`, counted from 1; `fraction` is from 0 to 1.
    public func delay(attempt: Int, fraction: Double) -> Duration {
        // 2^20 times any sensible start is beyond any sensible limit.
        let doublings = min(max(attempt - 1, 0), 20)
        let full = min(initial * (1 << doublings), maximum)
        return full * (0.5 + 0.5 * fraction)
    }
}
