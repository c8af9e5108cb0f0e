public import Fleet

extension MemoryStore {
    public func recordPeaks(_ peaks: [ID<Allocation>: Int?], lease: CellLease) async throws -> Int {
        try write { try $0.recordPeaks(peaks, lease: lease) }
    }

    public func decide(_ change: RateChange, lease: CellLease) async throws -> Bool {
        try write { try $0.decide(change, lease: lease) }
    }

    public func approve(
        _ id: ID<ScopeDecision>, reason: String, context: WriteContext, isTrial: Bool
    ) async throws -> ScopeDecision {
        try write(isTrial: isTrial) { try $0.approve(id, reason: reason, context: context) }
    }

    public func recordOutcomes(
        _ outcomes: [ID<ScopeDecision>: ScopeDecision.Realized], lease: CellLease
    ) async throws {
        try write { try $0.recordOutcomes(outcomes, lease: lease) }
    }

    public func constrain(
        _ constraint: ScopeConstraint, context: WriteContext, isTrial: Bool
    ) async throws -> ScopeConstraint {
        try write(isTrial: isTrial) { try $0.constrain(constraint, context: context) }
    }

    public func unconstrain(
        _ id: ID<ScopeConstraint>, reason: String, context: WriteContext, isTrial: Bool
    ) async throws {
        try write(isTrial: isTrial) { try $0.unconstrain(id, reason: reason, context: context) }
    }

    public func keepDecisions(for age: Duration) async throws -> Int {
        write { $0.keepDecisions(for: age) }
    }

    public func followRates(lease: CellLease) async throws {
        try write { state in
            try state.checkLease(lease)
            try state.followRates { $0.cell == lease.cell }
        }
    }

    public func policyHolders(cell: String) async throws -> [PolicyHolder] {
        try read { try $0.policyHolders(cell: cell) }
    }

    public func scopeRates() async throws -> [ScopeRate] {
        read { $0.scopeRates.values.filter { $0.generation > 0 }.sorted { $0.scope < $1.scope } }
    }

    public func constraints(ended: Bool) async throws -> [ScopeConstraint] {
        read { state in
            state.constraints.values.map(\.constraint).filter { ended || $0.isInForce(at: state.now) }
                .sorted { $0.id < $1.id }
        }
    }

    public func decisions(_ query: DecisionQuery) async throws -> [ScopeDecision] {
        read { $0.decisions(query) }
    }
}
