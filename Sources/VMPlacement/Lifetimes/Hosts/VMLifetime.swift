public import Fleet

/// A VM with a host, as predictions see it.
public struct VMLifetime: Sendable, Hashable {
    public var features: VMFeatures
    /// When it started, wherever that was.
    public var startedAt: Timestamp

    public init(features: VMFeatures, startedAt: Timestamp) {
        self.features = features
        self.startedAt = startedAt
    }
}
