import Foundation

/// A log-normal law of lifetimes: the natural logarithm of the seconds is normal.
public struct LogNormalLaw: Sendable, Hashable {
    /// Mean of the logarithm.
    public var mean: Double
    /// Standard deviation of the logarithm; at 0 the lifetime is `exp(mean)` for sure.
    public var deviation: Double

    public init(mean: Double, deviation: Double) {
        self.mean = mean
        self.deviation = max(0, deviation)
    }

    /// Below this share of survivors, the quotient of two tails is left to its asymptote: `erfc` is exact to
    /// the last digits until it underflows at about 1e-308.
    private static let leastTail = 1e-250

    /// Mean excess, seconds: `exp(m + s²/2) Φ(s − z) / Φ(−z) − u` with `z = (ln u − m) / s`.
    ///
    /// Far in the tail it is `u s² / (ln u − m)`.
    public func expectedRemaining(uptime: Double) -> Double {
        guard deviation > 0 else { return exp(mean) - uptime }
        let expected = exp(mean + deviation * deviation / 2)
        guard uptime > 0 else { return expected }
        let distance = log(uptime) - mean
        let z = distance / deviation
        let tail = erfc(z / 2.0.squareRoot()) / 2
        guard tail >= Self.leastTail else { return uptime * deviation * deviation / distance }
        return expected * (erfc((z - deviation) / 2.0.squareRoot()) / 2) / tail - uptime
    }
}
