internal import Fleet
internal import Oversubscription

/// Decides, hour by hour, what share of the vCPUs of each scope is backed by cores, and counts the hours in
/// which it was too small: `basalt simulate rates`.
///
/// Scopes are the VMs of a trace dealt out in a random order, as nothing in a trace says what belongs
/// together.
public struct RateExperiment: Sendable {
    /// What is simulated.
    public struct Options: Sendable, Hashable {
        /// How many.
        public var scopes: Int
        /// One after another on the same scopes.
        public var policies: [RatePolicyName]
        /// Of the order in which VMs are dealt out.
        public var seed: UInt64

        public init(scopes: Int, policies: [RatePolicyName], seed: UInt64) {
            self.scopes = scopes
            self.policies = policies
            self.seed = seed
        }
    }

    private static let scopeLimit = 100_000

    /// As given, valid.
    public let options: Options

    /// - Throws: `OptionError` for options that cannot be used.
    public init(options: Options) throws(OptionError) {
        try OptionError.check("groups", options.scopes, in: 1...Self.scopeLimit)
        guard !options.policies.isEmpty else {
            throw OptionError(
                field: "policy", value: "", expected: "at least one policy", nearest: "recent:7d")
        }
        self.options = options
    }

    /// - Returns: one result per policy, in the order of the options.
    /// - Throws: `OptionError` when the trace is too short, or has fewer VMs than there are scopes.
    public func run(_ trace: UsageTrace) throws(OptionError) -> [RateResult] {
        let scopes = try scopes(of: trace)
        let hours = scopes.first?.peaks.count ?? 0
        guard let split = RateSplit(hours: hours) else {
            throw OptionError(
                field: "usage", value: "\(hours) hours",
                expected: "a trace of more than \(RateSplit.lookBack + 4) hours", nearest: "a longer trace")
        }
        return options.policies.map { name in
            let shares = name.policy.shares(of: scopes, split)
            let outcome = RateOutcome(shares: shares, scopes: scopes, split)
            return RateResult(
                policy: name.text, risk: outcome.risk, severity: outcome.severity, benefit: outcome.benefit)
        }
    }

    /// VM `i` of the shuffled trace is in scope `i mod scopes`.
    func scopes(of trace: UsageTrace) throws(OptionError) -> [ScopePeaks] {
        let series = trace.limited(to: .infinity).series
        guard series.count >= options.scopes else {
            throw OptionError(
                field: "groups", value: "\(options.scopes)",
                expected: "at most the VMs of the trace, \(series.count)", nearest: "\(series.count)")
        }
        guard 3600 % trace.stepSeconds == 0 else {
            throw OptionError(
                field: "usage", value: "\(trace.stepSeconds) s between samples",
                expected: "whole samples in an hour", nearest: "300 s")
        }
        let order = LinearCongruence.order(series.count, seed: options.seed)
        return (0..<options.scopes).map { scope in
            let members = stride(from: scope, to: order.count, by: options.scopes).map { series[order[$0]] }
            return ScopePeaks(
                used: members.map { $0.usedCores(steps: trace.steps) }, cores: members.map(\.cores),
                stepsPerHour: 3600 / trace.stepSeconds)
        }
    }
}
