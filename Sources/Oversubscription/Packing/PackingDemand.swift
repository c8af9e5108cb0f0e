/// What one VM asks of a host, in cores.
public struct PackingDemand: Sendable, Hashable {
    /// Per window of time, added up over the VMs of a host; one window when time does not matter.
    public var peaks: [Double]
    /// Added up over the VMs of a host; what they ask above the sum of `peaks` grows with its root.
    public var variance: Double

    public init(peaks: [Double], variance: Double = 0) {
        self.peaks = peaks
        self.variance = variance
    }
}

/// When VMs fit on a host: in every window `Σ peaks + factor · √Σ variance ≤ capacity`.
public struct PackingRoom: Sendable, Hashable {
    /// In cores, of one host.
    public var capacity: Double
    /// What the root of the summed variances is multiplied by.
    public var factor: Double

    public init(capacity: Double, factor: Double = 0) {
        self.capacity = capacity
        self.factor = factor
    }
}
