/// The use of one scope, a set of VMs that share a decision, hour by hour.
public struct ScopePeaks: Sendable, Hashable {
    /// Greatest share of the scope's vCPUs in use within each hour, from 0 to 1.
    public var peaks: [Double]
    /// Share of the scope's vCPUs that its largest VM has: 1 means that nothing averages out.
    public var concentration: Double
    /// vCPUs of the scope.
    public var cores: Double

    public init(peaks: [Double], concentration: Double, cores: Double) {
        self.peaks = peaks
        self.concentration = concentration
        self.cores = cores
    }

    /// - Parameters:
    ///   - used: cores that each VM uses, step by step, equally many of each; at least one VM.
    ///   - cores: of each VM.
    ///   - stepsPerHour: what is left at the end is not an hour and is dropped.
    public init(used: [[Double]], cores: [Double], stepsPerHour: Int) {
        let total = cores.reduce(0, +)
        let hours = (used.first?.count ?? 0) / stepsPerHour
        peaks = (0..<hours).map { hour in
            var peak = 0.0
            for step in hour * stepsPerHour..<(hour + 1) * stepsPerHour {
                peak = max(peak, used.reduce(0) { $0 + $1[step] })
            }
            return total > 0 ? peak / total : 0
        }
        concentration = total > 0 ? (cores.max() ?? 0) / total : 1
        self.cores = total
    }
}
