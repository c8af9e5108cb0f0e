public import Fleet

/// Ratios of oversubscription: what was decided about scopes, by controllers and by people, and the peaks
/// that admission counts with.
///
/// The ratio of a host is never written by itself: it follows from policies, decisions and constraints, in
/// the transaction that changes one of them.
public protocol RateStore: Sendable {
    /// Writes down what allocations are predicted to use at most; nil where nothing is known any more.
    ///
    /// Guaranteed, released and unknown allocations, and those of other cells, are left out; a peak above the
    /// allocation's CPU counts as all of it. Admission goes by the new peaks at once.
    ///
    /// - Parameter peaks: milli-vCPUs.
    /// - Returns: how many changed.
    /// - Throws: `leaseLost`.
    @discardableResult
    func recordPeaks(_ peaks: [ID<Allocation>: Int?], lease: CellLease) async throws -> Int

    /// Writes a decision down, and applies it when its state is `applied`: the scope's ratio, its hosts, the
    /// decision before and the event in one transaction.
    ///
    /// Open decisions of the scope are superseded by a newer one.
    ///
    /// - Returns: false, and nothing is written, when the scope is gone, when its generation is not the
    ///   decision's any more, or when the decision is closed: of two deciders exactly one decides.
    /// - Throws: `leaseLost`.
    func decide(_ change: RateChange, lease: CellLease) async throws -> Bool

    /// A person agrees to a proposal; the cell's controller applies it within a second.
    ///
    /// - Returns: what it then is: unchanged unless it was proposed.
    /// - Throws: `notFound`.
    func approve(_ id: ID<ScopeDecision>, reason: String, context: WriteContext, isTrial: Bool) async throws
        -> ScopeDecision

    /// Notes what came of decisions. Unknown ones are left out.
    ///
    /// - Throws: `leaseLost`.
    func recordOutcomes(_ outcomes: [ID<ScopeDecision>: ScopeDecision.Realized], lease: CellLease)
        async throws

    /// A person decides about a scope; it counts at once, for what is admitted from now on. Open decisions of
    /// the scope are answered with it. Author and time are the store's.
    ///
    /// - Throws: `notFound` when there is no such scope.
    func constrain(_ constraint: ScopeConstraint, context: WriteContext, isTrial: Bool) async throws
        -> ScopeConstraint

    /// Takes a constraint back.
    ///
    /// - Throws: `notFound` when there is none in force.
    func unconstrain(_ id: ID<ScopeConstraint>, reason: String, context: WriteContext, isTrial: Bool)
        async throws

    /// Forgets superseded and rolled back decisions whose window began longer ago on the fleet clock. Every
    /// controller may call it at any time.
    ///
    /// - Returns: how many there were.
    @discardableResult
    func keepDecisions(for age: Duration) async throws -> Int

    /// Brings the hosts of a cell to what is in force by now: time ends policies and constraints.
    ///
    /// - Throws: `leaseLost`.
    func followRates(lease: CellLease) async throws

    /// Cells, pools and hosts of a cell that name a policy of oversubscription, sorted by scope.
    func policyHolders(cell: String) async throws -> [PolicyHolder]

    /// Ratios of the scopes of which a decision was ever applied, sorted.
    func scopeRates() async throws -> [ScopeRate]

    /// Sorted by id; those that ended or expired only when asked for.
    func constraints(ended: Bool) async throws -> [ScopeConstraint]

    /// Newest first.
    func decisions(_ query: DecisionQuery) async throws -> [ScopeDecision]
}

/// A scope that names a policy.
public struct PolicyHolder: Sendable, Hashable {
    public var scope: RateScope
    public var policy: String

    public init(scope: RateScope, policy: String) {
        self.scope = scope
        self.policy = policy
    }
}

/// A decision on its way in.
public struct RateChange: Sendable, Hashable {
    public var decision: ScopeDecision
    /// What becomes of the decision in force so far, when this one is applied.
    public var before: ScopeDecision.State
    /// Of the event about the scope; none is written when nil.
    public var reason: Reason?
    public var message: String

    public init(
        decision: ScopeDecision, before: ScopeDecision.State = .superseded, reason: Reason?,
        message: String = ""
    ) {
        self.decision = decision
        self.before = before
        self.reason = reason
        self.message = message
    }
}

/// Which decisions about ratios are read, newest first.
public struct DecisionQuery: Sendable, Hashable {
    public var cell: String?
    public var scope: RateScope?
    public var id: ID<ScopeDecision>?
    /// All when empty.
    public var states: [ScopeDecision.State]
    public var limit: Int

    public init(
        cell: String? = nil, scope: RateScope? = nil, id: ID<ScopeDecision>? = nil,
        states: [ScopeDecision.State] = [], limit: Int = 100
    ) {
        self.cell = cell
        self.scope = scope
        self.id = id
        self.states = states
        self.limit = limit
    }
}
