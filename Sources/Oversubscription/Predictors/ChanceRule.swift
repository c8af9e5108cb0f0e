import Foundation

/// How far above its mean a sum of independent loads may rise, for a chance of exceeding it.
public enum ChanceBound: String, Sendable, Hashable, CaseIterable {
    /// The loads' sum is normal. Optimistic where loads rise together, as they do in practice.
    case gaussian = "gauss"
    /// Nothing but the bounds of each load is known: zero and its limit.
    case hoeffding
    /// Nothing but mean and variance of the sum is known.
    case cantelli

    /// What the root of the summed spreads is multiplied by.
    ///
    /// - Parameter chance: that the sum exceeds the bound; above 0 and below 1.
    public func factor(chance: Double) -> Double {
        switch self {
        case .gaussian: NormalLaw.quantile(1 - chance)
        case .hoeffding: (log(1 / chance) / 2).squareRoot()
        case .cantelli: ((1 - chance) / chance).squareRoot()
        }
    }
}

/// The peak that independent VMs exceed with a given chance: `P = Σ mean + D √Σ b` (Cohen et al., Management
/// Science 2019).
public struct ChanceRule: PeakRule {
    private let bound: ChanceBound
    private let factor: Double
    private let history: Int

    /// - Parameters:
    ///   - chance: of exceeding the peak; above 0 and below 1.
    ///   - history: samples that count.
    public init(_ bound: ChanceBound, chance: Double, history: Int) {
        self.bound = bound
        factor = bound.factor(chance: chance)
        self.history = history
    }

    public var emptyMemory: RecentSamples { RecentSamples(capacity: history) }

    public func record(_ sample: VMSample, step: Int, in memory: inout RecentSamples) {
        memory.append(usage: sample.usage, limit: sample.limit)
    }

    public func peak(of vms: [WarmVM<RecentSamples>]) -> Double {
        var mean = 0.0
        var spread = 0.0
        var limit = 0.0
        for vm in vms {
            let moments = Moments(vm.memory.cores)
            mean += moments.mean
            spread += bound == .hoeffding ? vm.limit * vm.limit : moments.populationVariance
            limit += vm.limit
        }
        return min(limit, mean + factor * spread.squareRoot())
    }
}
