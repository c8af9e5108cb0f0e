public import Fleet

extension MemoryStore {
    public func usageRolledTo() async throws -> Timestamp? {
        read { $0.usageRolledTo > 0 ? Timestamp(seconds: Double($0.usageRolledTo)) : nil }
    }

    public func scopeHours(
        of scopes: [RateScope], since: Timestamp
    ) async throws -> [RateScope: [ScopeHour]] {
        read { $0.scopeHours(of: scopes, since: since.wholeSeconds) }
    }

    public func recordDays(_ days: [RateScope: [RiskDay]], lease: CellLease) async throws {
        try write { try $0.recordDays(days, lease: lease) }
    }

    public func riskDays(
        of scopes: [RateScope], since day: Int
    ) async throws -> [RateScope: [RiskDay]] {
        read { $0.riskDays(of: scopes, since: day) }
    }

    public func beginTrial(
        of decision: ID<ScopeDecision>, on hosts: [ID<Document>], startedAt: Timestamp,
        event: EventWords, lease: CellLease
    ) async throws -> Bool {
        try write {
            try $0.beginTrial(of: decision, on: hosts, startedAt: startedAt, event: event, lease: lease)
        }
    }

    public func withdraw(
        _ decision: ID<ScopeDecision>, event: EventWords, lease: CellLease
    ) async throws -> Bool {
        try write { try $0.withdraw(decision, event: event, lease: lease) }
    }

    public func trials() async throws -> [RateTrial] { read { $0.trials() } }

    public func guardAsks(cell: String) async throws -> [GuardAskRecord] {
        read { $0.openGuardAsks(cell: cell) }
    }

    public func closeGuardAsks(_ allocations: [ID<Allocation>], lease: CellLease) async throws {
        try write { try $0.closeGuardAsks(allocations, lease: lease) }
    }
}
