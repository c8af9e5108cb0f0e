import Fleet

/// Predicts how much longer a VM will live.
public protocol LifetimeModel: Sendable {
    /// E[T − uptime | T > uptime], seconds, of a VM that has run for `uptime` seconds.
    ///
    /// The same arguments give the same answer. It may be anything, NaN included: `LifetimePredictor` bounds
    /// it.
    func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double
}

/// A model's answers brought into bounds.
public struct LifetimePredictor: Sendable {
    /// Least answer, seconds: an exit time is never in the past, and a wrong prediction is looked at again.
    public static let least = 1.0
    /// The answer when neither model nor cap gives one, seconds: no VM is planned for longer than ten years.
    public static let most = 315_569_520.0

    /// What is asked.
    public var model: any LifetimeModel
    /// Longest answer, seconds; beyond it, long is long.
    public let cap: Double

    /// - Parameter cap: longest answer; nil sets none.
    public init(_ model: any LifetimeModel, cap: Duration?) {
        self.model = model
        self.cap = cap.map { max(Self.least, $0.inSeconds) } ?? Self.most
    }

    /// Seconds from `least` to the cap; the cap when the model does not know.
    public func remaining(uptime: Double, of features: VMFeatures) -> Double {
        let answer = model.expectedRemaining(uptime: max(0, uptime), of: features)
        return answer.isNaN ? cap : min(max(answer, Self.least), cap)
    }
}
