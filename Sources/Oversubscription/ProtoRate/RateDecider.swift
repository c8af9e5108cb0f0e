import Foundation

/// A decided share, and why it is what it is.
public struct RateDecision: Sendable, Hashable {
    /// Why a share is larger than what was predicted, or other.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Too little history.
        case cold
        /// What is known of the scope is too old.
        case stale
        /// More hot hours than the aim explains.
        case drift
        /// A person said so.
        case constraint
        /// The share before was higher, and it falls slowly.
        case slew
    }

    /// Of the scope's vCPUs that is backed by cores.
    public var share: Double
    /// The share of its vCPUs that the scope will use at most, with the margin.
    public var predictedPeak: Double
    public var prototype: Int
    /// In the order in which they were looked at.
    public var reasons: [Reason]

    /// vCPUs per core.
    public var ratio: Double { 1 / share }
}

/// Decides the rates of scopes hour after hour, and learns from each hour how bold it may be.
public struct RateDecider: Sendable {
    /// A scope's constraints, and whether its telemetry is fresh.
    public struct Circumstances: Sendable, Hashable {
        public var constraints: [RateConstraint]
        public var isStale: Bool

        public init(constraints: [RateConstraint] = [], isStale: Bool = false) {
            self.constraints = constraints
            self.isStale = isStale
        }
    }

    private struct Scope {
        var prototype: Int
        var share: Double?
        /// Latest hours, whether each was hotter than decided.
        var hot: [Bool] = []
    }

    /// The aim neither vanishes nor becomes a coin's toss.
    private static let chances = 0.001...0.5

    private let model: ProtoRateModel
    private var scopes: [Scope]
    /// Of exceeding the predicted peak; what the margin is taken at. One for all scopes, as one scope alone
    /// has too few hours to learn from.
    public private(set) var chance: Double

    /// - Parameter prototypes: of each scope.
    public init(_ model: ProtoRateModel, prototypes: [Int]) {
        self.model = model
        scopes = prototypes.map { Scope(prototype: $0) }
        chance = model.aim
    }

    /// Decides the next hour of one scope.
    ///
    /// - Parameters:
    ///   - past: peaks of all hours before.
    ///   - hour: that is decided.
    public mutating func decide(
        _ index: Int, past: ArraySlice<Double>, hour: Int, _ circumstances: Circumstances = .init()
    ) -> RateDecision {
        let settings = model.settings
        let scope = scopes[index]
        let peak = model.peak(after: past, prototype: scope.prototype, chance: chance)
        var reasons: [RateDecision.Reason] = []
        if past.count < settings.coldHours { reasons.append(.cold) }
        if circumstances.isStale { reasons.append(.stale) }
        if isDrifting(scope) { reasons.append(.drift) }
        var share = min(max(peak, settings.leastShare), 1)
        if !reasons.isEmpty { share = max(share, settings.classDefault) }
        if let last = scope.share, share < last - settings.downStep {
            share = last - settings.downStep
            reasons.append(.slew)
        }
        let allowed = RateConstraint.apply(circumstances.constraints, to: share, hour: hour)
        if allowed != share { reasons.append(.constraint) }
        scopes[index].share = allowed
        return RateDecision(
            share: allowed, predictedPeak: peak, prototype: scope.prototype, reasons: reasons)
    }

    /// Takes what came of an hour that was decided for every scope.
    ///
    /// - Parameter peaks: one per scope.
    public mutating func observe(_ peaks: [Double]) {
        var hot = 0
        for (index, peak) in peaks.enumerated() {
            let isHot = peak > scopes[index].share ?? 1
            hot += isHot ? 1 : 0
            scopes[index].hot.append(isHot)
            if scopes[index].hot.count > model.settings.driftHours { scopes[index].hot.removeFirst() }
        }
        let moved = chance + model.settings.adaptation * (model.aim * Double(peaks.count) - Double(hot))
        chance = min(max(moved, Self.chances.lowerBound), Self.chances.upperBound)
    }

    private func isDrifting(_ scope: Scope) -> Bool {
        let hot = scope.hot.count { $0 }
        return hot > 0
            && BinomialLaw.share(atLeast: hot, of: model.settings.driftHours, chance: model.settings.target)
                < model.settings.driftChance
    }
}

/// Counts of successes among independent tries.
public enum BinomialLaw {
    /// The chance of at least `hits` successes.
    public static func share(atLeast hits: Int, of tries: Int, chance: Double) -> Double {
        guard hits > 0 else { return 1 }
        guard hits <= tries else { return 0 }
        // Below the count the terms are few and follow from each other.
        var term = pow(1 - chance, Double(tries))
        var below = 0.0
        for count in 0..<hits {
            below += term
            term *= Double(tries - count) / Double(count + 1) * chance / (1 - chance)
        }
        return max(0, 1 - below)
    }
}
