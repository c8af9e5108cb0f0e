/// How long one VM lived, or has lived so far: what models learn from.
public struct LifetimeObservation: Sendable, Hashable {
    public var features: VMFeatures
    /// From start to end, or to the last time it was seen.
    public var seconds: Double
    /// False when it was still running then: it lives longer than `seconds`, and that is all that is known.
    public var hasEnded: Bool

    public init(features: VMFeatures, seconds: Double, hasEnded: Bool) {
        self.features = features
        self.seconds = seconds
        self.hasEnded = hasEnded
    }
}
