/// What decided shares saved and what they risked.
public struct RateOutcome: Sendable, Hashable {
    /// Share of the hours of all scopes in which the peak was above the decided share.
    public var risk: Double
    /// By how much of the peak the share was too small, mean over all hours of all scopes.
    public var severity: Double
    /// Share of the vCPUs that needed no core, mean over all hours of all scopes.
    public var benefit: Double

    /// - Parameters:
    ///   - shares: as decided, hour by hour of the test.
    ///   - scopes: as many.
    public init(shares: [[Double]], scopes: [ScopePeaks], _ split: RateSplit) {
        var hot = 0
        var short = 0.0
        var sum = 0.0
        var count = 0
        for (decided, scope) in zip(shares, scopes) {
            for (share, peak) in zip(decided, scope.peaks[split.test]) {
                hot += peak > share ? 1 : 0
                short += peak > share ? (peak - share) / peak : 0
                sum += share
                count += 1
            }
        }
        let rows = Double(max(1, count))
        risk = Double(hot) / rows
        severity = short / rows
        benefit = 1 - sum / rows
    }
}
