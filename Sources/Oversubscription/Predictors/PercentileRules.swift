/// A rule that looks at the last samples of each VM.
public protocol RecentSamplesRule: PeakRule where Memory == RecentSamples {
    /// Samples that count.
    var history: Int { get }
}

extension RecentSamplesRule {
    public var emptyMemory: RecentSamples { RecentSamples(capacity: history) }

    public func record(_ sample: VMSample, step: Int, in memory: inout RecentSamples) {
        memory.append(usage: sample.usage, limit: sample.limit)
    }
}

/// A percentile of each VM by itself: `P = Σ pct_q(U/L) · L`. Peaks at different times are added up all the
/// same.
public struct VMPercentileRule: RecentSamplesRule {
    private let percentile: Double
    public let history: Int

    /// - Parameters:
    ///   - percentile: from 0 to 1.
    ///   - history: samples that count.
    public init(percentile: Double, history: Int) {
        self.percentile = percentile
        self.history = history
    }

    public func peak(of vms: [WarmVM<RecentSamples>]) -> Double {
        vms.reduce(0) { $0 + Percentile.of($1.memory.shares, percentile) * $1.limit }
    }
}

/// A percentile of the VMs together: `P = min(1, pct_q(Σ U / Σ L)) · Σ L`. It knows which peaks fall
/// together.
public struct MachinePercentileRule: RecentSamplesRule {
    private let percentile: Double
    public let history: Int

    /// - Parameters:
    ///   - percentile: from 0 to 1.
    ///   - history: samples that count.
    public init(percentile: Double, history: Int) {
        self.percentile = percentile
        self.history = history
    }

    public func peak(of vms: [WarmVM<RecentSamples>]) -> Double {
        min(1, Percentile.of(MachineShares.of(vms), percentile)) * vms.reduce(0) { $0 + $1.limit }
    }
}

/// Mean and spread of the VMs together: `P = min(1, mean + N · stdev) · Σ L` of the shares `Σ U / Σ L`.
public struct NSigmaRule: RecentSamplesRule {
    private let sigmas: Double
    public let history: Int

    public init(sigmas: Double, history: Int) {
        self.sigmas = sigmas
        self.history = history
    }

    public func peak(of vms: [WarmVM<RecentSamples>]) -> Double {
        let shares = Moments(MachineShares.of(vms))
        return min(1, shares.mean + sigmas * shares.sampleDeviation) * vms.reduce(0) { $0 + $1.limit }
    }
}

/// What VMs used together of what they might, per age of the sample.
private enum MachineShares {
    /// A VM that is younger than an age is absent from it, above and below the line.
    static func of(_ vms: [WarmVM<RecentSamples>]) -> [Double] {
        (0..<(vms.map(\.memory.count).max() ?? 0)).map { age in
            var used = 0.0
            var limit = 0.0
            for vm in vms where age < vm.memory.count {
                used += vm.memory.usage(age: age)
                limit += vm.memory.limit(age: age)
            }
            return limit > 0 ? used / limit : 0
        }
    }
}
