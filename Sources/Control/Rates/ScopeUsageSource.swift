public import Fleet

/// Where decisions about ratios take the use of scopes from.
public protocol ScopeUsageSource: Sendable {
    /// What is known of the scopes; those that nothing is known of are left out.
    ///
    /// - Parameter until: fleet time; only whole hours before it count.
    func profiles(of scopes: [RateScope], cell: String, until: Timestamp) async throws
        -> [RateScope: ScopeProfile]
}

/// The use of the shared VMs of one scope, hour by hour.
public struct ScopeProfile: Sendable, Hashable {
    /// Greatest share of the scope's vCPUs in use at once within each hour, 0 to 1, oldest first and without
    /// gaps.
    public var peaks: [Double]
    /// Hours from 1970 to the first peak, on the fleet clock.
    public var firstHour: Int
    /// Share of the scope's vCPUs that its largest VM has.
    public var concentration: Double
    /// vCPUs of the scope now.
    public var milliCPU: Int

    public init(peaks: [Double], firstHour: Int, concentration: Double, milliCPU: Int) {
        self.peaks = peaks
        self.firstHour = firstHour
        self.concentration = concentration
        self.milliCPU = milliCPU
    }

    /// The hour after the last peak.
    var end: Int { firstHour + peaks.count }
}

/// Knows nothing, so that nothing is decided: ratios stay as policies and people have them.
public struct UnknownScopeUsage: ScopeUsageSource {
    public init() {}

    public func profiles(of scopes: [RateScope], cell: String, until: Timestamp) async throws
        -> [RateScope: ScopeProfile]
    { [:] }
}
