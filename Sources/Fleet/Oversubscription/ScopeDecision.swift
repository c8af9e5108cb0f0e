/// What was decided about the ratio of a scope for one window, on what, and what came of it.
public struct ScopeDecision: Sendable, Hashable, Codable {
    /// `proposed → approved → applied → superseded`. Without a question a lower ratio is applied at once and a
    /// higher one is approved; an approved one is tried on a few hosts before it is applied, and may be taken
    /// back like an applied one.
    public enum State: String, Sendable, Hashable, ClosedWord {
        /// Waits for a person, or only shows what would be done.
        case proposed
        /// Nothing is left to ask; the cell's controller tries it and applies it.
        case approved
        case applied
        /// Another one of the scope came after it, or a person answered otherwise.
        case superseded
        case rolledBack = "rolled_back"

        public var isOpen: Bool { self == .proposed || self == .approved }
    }

    /// Why a ratio is not what the use alone would allow, or why somebody is asked.
    public enum Note: String, Sendable, Hashable, ClosedWord {
        /// Too little history to decide by.
        case cold
        /// The latest samples are old.
        case stale
        /// More hot hours than the target explains.
        case drift
        /// Too few residuals to trust the margin.
        case fewResiduals
        /// The first decision of the scope.
        case first
        /// The policy asks every time.
        case always
        /// The steps that a decision may take.
        case step
        /// The bounds of the policy.
        case bounds
        /// What people decided.
        case constraint
        /// A twentieth of the scope's hosts, on which a higher ratio would be tried, is no host.
        case fewHosts
        /// A guard found a host of the scope hot within a day.
        case guarded
        /// The error budget of the scope is burnt.
        case budget
    }

    public var id: ID<ScopeDecision>
    public var cell: String
    public var scope: RateScope
    public var state: State
    /// Fleet time from which it counts, and for how long at least.
    public var windowStart: Timestamp
    public var windowSeconds: Int
    /// Version of the scope's ratio that it was made on: it is applied on no other.
    public var generation: Int
    public var ratioPerMille: Int
    /// In force when it was made.
    public var priorRatioPerMille: Int
    /// Recorded only; never applied.
    public var isShadow: Bool
    public var evidence: Evidence
    /// Why somebody is asked; empty when nobody is.
    public var asks: [Note]
    public var realized: Realized?
    public var createdAt: Timestamp
    public var closedAt: Timestamp?
    /// Who approved it, took it back or answered otherwise.
    public var answeredBy: String?

    /// On what it was decided.
    public struct Evidence: Sendable, Hashable, Codable {
        public var policy: PolicyVersion
        public var algorithm: OversubscriptionRules.Algorithm
        /// Of everything that went in: equal inputs give equal decisions.
        public var inputsHash: String
        /// Greatest share of the scope's vCPUs in use at once, 0 to 1.
        public var predictedPeak: Double
        /// Chance that an hour is above what the ratio allows, as counted on hours not learnt from.
        public var risk: Double
        /// vCPUs that need no core of their own.
        public var benefitMilliCPU: Int
        /// vCPUs of the scope.
        public var milliCPU: Int
        public var notes: [Note]
        /// The shape of days that the scope is of, and how many scopes are.
        public var prototype: Int?
        public var members: [RateScope]
        /// Mean and greatest peak of each hour of the day of those members, 24 each; empty without history.
        public var typicalDay: [Double]
        public var worstDay: [Double]

        public init(
            policy: PolicyVersion, algorithm: OversubscriptionRules.Algorithm, inputsHash: String,
            predictedPeak: Double, risk: Double, benefitMilliCPU: Int, milliCPU: Int, notes: [Note] = [],
            prototype: Int? = nil, members: [RateScope] = [], typicalDay: [Double] = [],
            worstDay: [Double] = []
        ) {
            self.policy = policy
            self.algorithm = algorithm
            self.inputsHash = inputsHash
            self.predictedPeak = predictedPeak
            self.risk = risk
            self.benefitMilliCPU = benefitMilliCPU
            self.milliCPU = milliCPU
            self.notes = notes
            self.prototype = prototype
            self.members = members
            self.typicalDay = typicalDay
            self.worstDay = worstDay
        }
    }

    /// What came of it.
    public struct Realized: Sendable, Hashable, Codable {
        /// Greatest share of the scope's vCPUs in use at once.
        public var peak: Double
        /// Share of the hours above what the ratio allowed.
        public var hot: Double
        /// vCPUs sold above the cores there were.
        public var savedMilliCPU: Int

        public init(peak: Double, hot: Double, savedMilliCPU: Int) {
            self.peak = peak
            self.hot = hot
            self.savedMilliCPU = savedMilliCPU
        }
    }

    public init(
        id: ID<ScopeDecision>, cell: String, scope: RateScope, state: State, windowStart: Timestamp,
        windowSeconds: Int, generation: Int, ratioPerMille: Int, priorRatioPerMille: Int,
        isShadow: Bool = false, evidence: Evidence, asks: [Note] = [], realized: Realized? = nil,
        createdAt: Timestamp, closedAt: Timestamp? = nil, answeredBy: String? = nil
    ) {
        self.id = id
        self.cell = cell
        self.scope = scope
        self.state = state
        self.windowStart = windowStart
        self.windowSeconds = windowSeconds
        self.generation = generation
        self.ratioPerMille = ratioPerMille
        self.priorRatioPerMille = priorRatioPerMille
        self.isShadow = isShadow
        self.evidence = evidence
        self.asks = asks
        self.realized = realized
        self.createdAt = createdAt
        self.closedAt = closedAt
        self.answeredBy = answeredBy
    }

    /// Whether it waits for a person.
    public var isCard: Bool { state == .proposed && !asks.isEmpty && !isShadow }
}

/// The ratio of a scope as it was decided last.
public struct ScopeRate: Sendable, Hashable, Codable {
    public var scope: RateScope
    /// Nil while nothing was applied.
    public var ratioPerMille: Int?
    /// Raised by every decision that is applied; 0 before the first.
    public var generation: Int
    public var decision: ID<ScopeDecision>?
    /// On the fleet clock.
    public var decidedAt: Timestamp?

    public init(
        scope: RateScope, ratioPerMille: Int? = nil, generation: Int = 0, decision: ID<ScopeDecision>? = nil,
        decidedAt: Timestamp? = nil
    ) {
        self.scope = scope
        self.ratioPerMille = ratioPerMille
        self.generation = generation
        self.decision = decision
        self.decidedAt = decidedAt
    }
}
