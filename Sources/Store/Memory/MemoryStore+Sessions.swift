public import AgentProtocol
public import Fleet

extension MemoryStore {
    public func createJoinToken(
        _ token: JoinToken, context: WriteContext, isTrial: Bool
    ) async throws {
        try write(isTrial: isTrial) { try $0.createJoinToken(token, context: context) }
    }

    public func join(_ request: JoinSpending) async throws -> ID<AgentSession> {
        try write { try $0.join(request) }
    }

    public func session(credentialHash: String) async throws -> SessionRecord? {
        read { state in state.sessionOfCredential[credentialHash].flatMap { state.sessions[$0]?.record } }
    }

    public func hello(_ hello: SessionHello) async throws -> HelloOutcome {
        try write { try $0.hello(hello) }
    }

    public func report(_ report: SessionReport) async throws -> [RefusedPart] {
        try write { try $0.report(report) }
    }

    public func judgeHosts(
        cell: CellLease, terms: LeaseTerms, breaker: Double
    ) async throws -> HostJudgement {
        try write { try $0.judgeHosts(cell: cell, terms: terms, breaker: breaker) }
    }

    public func breakers() async throws -> [TrippedBreaker] { read { $0.breakers() } }

    public func resetBreaker(
        cell: String, zone: String, context: WriteContext, isTrial: Bool
    ) async throws -> Int {
        try write(isTrial: isTrial) { try $0.resetBreaker(cell: cell, zone: zone, context: context) }
    }

    public func releaseFenced(
        host: ID<Document>, everything: Bool, lease: CellLease, context: WriteContext
    ) async throws -> [ID<Allocation>] {
        try write {
            try $0.releaseFenced(host: host, everything: everything, lease: lease, context: context)
        }
    }

    /// Sorted by id.
    public func sessions() async throws -> [SessionRecord] {
        read { $0.sessions.values.map(\.record).sorted { $0.id < $1.id } }
    }
}
