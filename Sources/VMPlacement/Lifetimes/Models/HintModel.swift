import Foundation

/// Believes what the owner says, up to a spread: a log-normal law with the hint as its median.
public struct HintModel: LifetimeModel {
    /// Standard deviation of the natural logarithm of lifetime over hint.
    public let spread: Double
    /// Asked about VMs without a hint.
    public let fallback: (any LifetimeModel)?

    public init(spread: Double, fallback: (any LifetimeModel)? = nil) {
        self.spread = max(0, spread)
        self.fallback = fallback
    }

    public func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double {
        guard let hint = features.hintSeconds, hint > 0 else {
            return fallback?.expectedRemaining(uptime: uptime, of: features) ?? .nan
        }
        return LogNormalLaw(mean: log(hint), deviation: spread).expectedRemaining(uptime: uptime)
    }
}
