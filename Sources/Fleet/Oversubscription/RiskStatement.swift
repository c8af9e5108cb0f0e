/// What became of one scope on one day of the fleet clock.
public struct RiskDay: Sendable, Hashable, Codable {
    /// Days since 1970.
    public var day: Int
    /// Hosts times bins of which there are samples, and those of them that were hot.
    public var bins: Int
    public var hotBins: Int
    /// Share of bins that was predicted to be hot, by the decisions in force.
    public var predictedRisk: Double
    /// vCPUs that needed no core by the decisions in force, were the scope full.
    public var nominalMilliCPU: Int
    /// vCPUs that were sold beyond the cores there are: what placements made of it.
    public var realizedMilliCPU: Int

    public init(
        day: Int, bins: Int, hotBins: Int, predictedRisk: Double, nominalMilliCPU: Int,
        realizedMilliCPU: Int
    ) {
        self.day = day
        self.bins = bins
        self.hotBins = hotBins
        self.predictedRisk = predictedRisk
        self.nominalMilliCPU = nominalMilliCPU
        self.realizedMilliCPU = realizedMilliCPU
    }

    /// Share of the bins that were hot; 0 without bins.
    public var realizedRisk: Double { bins == 0 ? 0 : Double(hotBins) / Double(bins) }
}

/// A ratio that a few hosts of a scope go by before the others do.
public struct RateTrial: Sendable, Hashable, Codable {
    public var decision: ID<ScopeDecision>
    public var scope: RateScope
    public var ratioPerMille: Int
    /// Names, sorted.
    public var hosts: [String]
    /// On the fleet clock.
    public var startedAt: Timestamp

    public init(
        decision: ID<ScopeDecision>, scope: RateScope, ratioPerMille: Int, hosts: [String],
        startedAt: Timestamp
    ) {
        self.decision = decision
        self.scope = scope
        self.ratioPerMille = ratioPerMille
        self.hosts = hosts
        self.startedAt = startedAt
    }
}

/// What the ratio of a scope risked and gained, and how much more it may.
public struct RiskStatement: Sendable, Hashable, Codable {
    /// What the burnt part of the budget means.
    public enum State: String, Sendable, Hashable, ClosedWord {
        /// The ratio may rise.
        case open
        /// More than half is burnt: it does not rise.
        case frozen
        /// All is burnt: a ratio that was hot is taken back.
        case rollback
    }

    public var scope: RateScope
    public var cell: String
    public var ratioPerMille: Int
    /// Share of bins that may be hot, over so many days.
    public var target: Double
    public var windowDays: Int
    /// Part of that budget that is burnt; above 1 it is overdrawn.
    public var burned: Double
    public var state: State
    /// Fleet time up to which use is accounted for; nil before the first hour.
    public var accountedTo: Timestamp?
    public var trial: RateTrial?
    /// Of the window, ascending.
    public var days: [RiskDay]

    public init(
        scope: RateScope, cell: String, ratioPerMille: Int, target: Double, windowDays: Int, burned: Double,
        state: State, accountedTo: Timestamp?, trial: RateTrial?, days: [RiskDay]
    ) {
        self.scope = scope
        self.cell = cell
        self.ratioPerMille = ratioPerMille
        self.target = target
        self.windowDays = windowDays
        self.burned = burned
        self.state = state
        self.accountedTo = accountedTo
        self.trial = trial
        self.days = days
    }
}
