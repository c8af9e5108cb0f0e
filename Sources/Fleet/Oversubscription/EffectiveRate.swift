/// The ratio that admission on a host goes by, and how it came about.
///
/// The nearest scope with a policy in force gives the ratio; people's constraints come last, those of all
/// scopes that cover the host together: one that switches off wins, then the lowest pin, then the lowest cap.
public struct EffectiveRate: Sendable, Hashable, Codable {
    /// What moved the ratio from where its policy had it.
    public enum Clamp: String, Sendable, Hashable, Codable, CaseIterable {
        case ratioMin, ratioMax, cap, pin, exclude, kill
    }

    /// vCPUs sold per vCPU of the shared part, per mille.
    public var ratioPerMille: Int
    /// How full predicted peaks may make the shared part; nil where they do not count.
    public var maxUtilizationPerMille: Int?
    /// Where the ratio comes from; nil where nothing says anything.
    public var scope: RateScope?
    /// Nil for a ratio that stands in the pool itself.
    public var policy: PolicyVersion?
    public var mode: OversubscriptionRules.Mode?
    /// In the order in which they were applied.
    public var clamps: [Clamp]
    /// The constraints that count.
    public var constraints: [ID<ScopeConstraint>]

    /// What is known of one scope that covers a host.
    public struct Source: Sendable, Hashable {
        public var scope: RateScope
        public var policy: PolicyVersion?
        public var rules: OversubscriptionRules?
        /// `cpuRatioPerMille` of a pool.
        public var plainRatio: Int?
        /// What was decided last and applied.
        public var decidedRatio: Int?
        public var constraints: [ScopeConstraint]

        public init(
            scope: RateScope, policy: PolicyVersion? = nil, rules: OversubscriptionRules? = nil,
            plainRatio: Int? = nil, decidedRatio: Int? = nil, constraints: [ScopeConstraint] = []
        ) {
            self.scope = scope
            self.policy = policy
            self.rules = rules
            self.plainRatio = plainRatio
            self.decidedRatio = decidedRatio
            self.constraints = constraints
        }
    }

    /// - Parameter sources: every scope that covers the host, in any order.
    public init(_ sources: [Source], at now: Timestamp) {
        self.init()
        let nearestFirst = sources.sorted { $0.scope.level > $1.scope.level }
        for source in nearestFirst where source.plainRatio != nil || source.rules?.isInForce(at: now) == true
        {
            take(source, at: now)
            break
        }
        let live = nearestFirst.flatMap(\.constraints).filter { $0.isInForce(at: now) }
        apply(live)
        ratioPerMille = max(1000, ratioPerMille)
    }

    private init() {
        ratioPerMille = 1000
        clamps = []
        constraints = []
    }

    private mutating func take(_ source: Source, at now: Timestamp) {
        scope = source.scope
        guard let rules = source.rules, rules.isInForce(at: now) else {
            ratioPerMille = source.plainRatio ?? 1000
            return
        }
        policy = source.policy
        mode = rules.mode
        maxUtilizationPerMille = rules.maxUtilizationPerMille ?? (rules.mode == .managed ? 1000 : nil)
        ratioPerMille = rules.ratioPerMille ?? 1000
        if rules.mode == .pinned { return }
        ratioPerMille = source.decidedRatio ?? ratioPerMille
        guard rules.mode == .managed else { return }
        if ratioPerMille > rules.bounds.upperBound { clamps.append(.ratioMax) }
        if ratioPerMille < rules.bounds.lowerBound { clamps.append(.ratioMin) }
        ratioPerMille = min(max(ratioPerMille, rules.bounds.lowerBound), rules.bounds.upperBound)
    }

    private mutating func apply(_ live: [ScopeConstraint]) {
        func those(_ verb: ScopeConstraint.Verb) -> [ScopeConstraint] { live.filter { $0.verb == verb } }
        for (verb, clamp) in [(ScopeConstraint.Verb.kill, Clamp.kill), (.exclude, .exclude)] {
            guard !those(verb).isEmpty else { continue }
            (ratioPerMille, constraints) = (1000, those(verb).map(\.id).sorted())
            clamps.append(clamp)
            return
        }
        for (verb, clamp) in [(ScopeConstraint.Verb.pin, Clamp.pin), (.cap, .cap)] {
            let ratios = those(verb).compactMap(\.ratioPerMille)
            guard let lowest = ratios.min() else { continue }
            if verb == .cap, lowest >= ratioPerMille { return }
            ratioPerMille = lowest
            constraints = those(verb).filter { $0.ratioPerMille == lowest }.map(\.id).sorted()
            clamps.append(clamp)
            return
        }
    }
}
