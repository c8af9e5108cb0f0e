/// A renewal that the control plane acknowledged: what a shim counts its fence deadline from.
public struct LeaseRenewal: Sendable, Equatable, Codable {
    /// When the agent first sent the report that was acknowledged. Not when it was sent again: the
    /// controllers count from the first copy they committed, and a repeat has no effect.
    public var sentAt: MonotonicTime
    /// Parts with `onPartition: stop` end this long after `sentAt`, seconds.
    public var stopAfterSeconds: Double
    /// Hosts the renewal does not cover; they keep the deadline they had.
    public var except: [String]

    public init(sentAt: MonotonicTime, stopAfterSeconds: Double, except: [String] = []) {
        self.sentAt = sentAt
        self.stopAfterSeconds = stopAfterSeconds
        self.except = except
    }

    public var deadline: MonotonicTime { sentAt.advanced(by: .seconds(stopAfterSeconds)) }
}
