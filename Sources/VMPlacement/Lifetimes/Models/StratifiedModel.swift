import Fleet
import Foundation

/// One law per group of similar VMs, and one of all VMs for groups of which too little is known.
public struct StratifiedModel<Law: LifetimeLaw>: LifetimeModel {
    /// Ends that a group needs for a law of its own.
    public static var leastEnds: Int { 50 }

    private let levels: [Level]
    /// Of all VMs.
    public let whole: Law

    /// By what VMs are grouped.
    public struct Grouping: OptionSet, Sendable, Hashable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        /// CPU and memory.
        public static var size: Grouping { Grouping(rawValue: 1) }
        public static var `class`: Grouping { Grouping(rawValue: 2) }
        public static var project: Grouping { Grouping(rawValue: 4) }
    }

    private struct Level: Sendable {
        var grouping: Grouping
        var laws: [Group: Law]
    }

    private struct Group: Sendable, Hashable {
        var resources: Resources?
        var `class`: WorkloadClass?
        var project: String?

        init(_ features: VMFeatures, by grouping: Grouping) {
            resources = grouping.contains(.size) ? features.resources : nil
            `class` = grouping.contains(.class) ? features.class : nil
            project = grouping.contains(.project) ? features.project : nil
        }
    }

    /// Learns one law per group of every level, as far as the group has `leastEnds` ends.
    ///
    /// - Parameters:
    ///   - levels: asked in this order, the finest first; all VMs together come last by themselves.
    ///   - learn: a law from the observations of one group.
    public init(
        _ observations: [LifetimeObservation], levels: [Grouping] = [.size],
        learn: ([LifetimeObservation]) -> Law
    ) {
        self.levels = levels.map { grouping in
            let groups = Dictionary(grouping: observations) { Group($0.features, by: grouping) }
            let known = groups.filter { $0.value.count(where: \.hasEnded) >= Self.leastEnds }
            return Level(grouping: grouping, laws: known.mapValues(learn))
        }
        whole = learn(observations)
    }

    public func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double {
        for level in levels {
            guard let law = level.laws[Group(features, by: level.grouping)] else { continue }
            return law.expectedRemaining(uptime: uptime)
        }
        return whole.expectedRemaining(uptime: uptime)
    }
}

/// How long VMs of one kind live.
public protocol LifetimeLaw: Sendable {
    /// E[T − uptime | T > uptime], seconds.
    func expectedRemaining(uptime: Double) -> Double
}

extension SurvivalCurve: LifetimeLaw {}
extension LogNormalLaw: LifetimeLaw {}

extension StratifiedModel<SurvivalCurve> {
    /// Kaplan-Meier per group; VMs still running count as far as they were seen.
    ///
    /// - Parameter horizon: age at which integrals are cut, seconds; nil cuts each at its last age.
    public static func kaplanMeier(
        _ observations: [LifetimeObservation], levels: [Grouping] = [.size],
        shape: SurvivalCurve.Shape = .lines, horizon: Double? = nil
    ) -> Self {
        Self(observations, levels: levels) { SurvivalCurve(counts(of: $0), shape: shape, horizon: horizon) }
    }

    private static func counts(of observations: [LifetimeObservation]) -> [SurvivalCurve.Count] {
        var counts: [SurvivalCurve.Count] = []
        for observation in observations.sorted(by: { $0.seconds < $1.seconds }) {
            if counts.last?.age != observation.seconds {
                counts.append(.init(age: observation.seconds, ended: 0, censored: 0))
            }
            if observation.hasEnded {
                counts[counts.count - 1].ended += 1
            } else {
                counts[counts.count - 1].censored += 1
            }
        }
        return counts
    }
}

extension StratifiedModel<LogNormalLaw> {
    /// A log-normal law per group by the mean and deviation of the logarithms of lifetimes. VMs still running
    /// count as if they ended when last seen, so the law errs on the short side; re-prediction mends that.
    public static func logNormal(
        _ observations: [LifetimeObservation], levels: [Grouping] = [.size]
    ) -> Self {
        Self(observations, levels: levels) { observations in
            let logarithms = observations.map { log(max($0.seconds, LifetimePredictor.least)) }
            let count = Double(max(logarithms.count, 1))
            let mean = logarithms.reduce(0, +) / count
            let variance = logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            return LogNormalLaw(mean: mean, deviation: variance.squareRoot())
        }
    }
}
