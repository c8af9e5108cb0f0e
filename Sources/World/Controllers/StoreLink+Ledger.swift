internal import AgentProtocol
internal import Fleet
internal import Store

extension StoreLink: LedgerStore {
    func commit(_ commit: LedgerCommit) async throws -> CommitOutcome {
        try await write { try await $0.commit(commit) }
    }

    func cancelMigrations(_ targets: [ID<Allocation>], message: String, source: String, lease: CellLease)
        async throws -> [ID<Allocation>]
    {
        try await write {
            try await $0.cancelMigrations(targets, message: message, source: source, lease: lease)
        }
    }

    func writeStatuses(_ writes: [StatusWrite], lease: CellLease) async throws {
        try await write { try await $0.writeStatuses(writes, lease: lease) }
    }

    func finalize(_ workloads: [ID<Document>], lease: CellLease) async throws -> [ID<Document>] {
        try await write { try await $0.finalize(workloads, lease: lease) }
    }

    func hosts(_ filter: HostFilter) async throws -> [HostRecord] {
        try await read { try await $0.hosts(filter) }
    }

    func allocations(_ filter: AllocationFilter) async throws -> [Allocation] {
        try await read { try await $0.allocations(filter) }
    }

    func assignments(hosts: [ID<Document>], known: [ID<Document>: Int]) async throws -> [HostAssignmentRecord]
    {
        try await read { try await $0.assignments(hosts: hosts, known: known) }
    }

    func cellTotals() async throws -> [CellTotals] {
        try await read { try await $0.cellTotals() }
    }

    func countWaitingVMs() async throws -> [String: Int] {
        try await read { try await $0.countWaitingVMs() }
    }

    func adopt(_ id: ID<Allocation>, draft: DocumentDraft?, context: WriteContext, isTrial: Bool) async throws
        -> Allocation
    {
        try await write { try await $0.adopt(id, draft: draft, context: context, isTrial: isTrial) }
    }

    func stop(_ id: ID<Allocation>, context: WriteContext, isTrial: Bool) async throws -> Allocation {
        try await write { try await $0.stop(id, context: context, isTrial: isTrial) }
    }

    func writeLifetimes(_ note: LifetimeNote, lease: CellLease) async throws {
        try await write { try await $0.writeLifetimes(note, lease: lease) }
    }

    func lifetimes(cell: String) async throws -> LifetimeRecord {
        try await read { try await $0.lifetimes(cell: cell) }
    }

    func plan(_ id: ID<Plan>) async throws -> Plan? {
        try await read { try await $0.plan(id) }
    }

    func planHead(cell: String, engine: Plan.Engine) async throws -> ID<Plan>? {
        try await read { try await $0.planHead(cell: cell, engine: engine) }
    }
}

extension StoreLink: LeaseStore {
    func acquireLease(cell: String, holder: String, duration: Duration) async throws -> CellLease? {
        try await write { try await $0.acquireLease(cell: cell, holder: holder, duration: duration) }
    }

    func renewLease(_ lease: CellLease, duration: Duration) async throws -> Bool {
        try await write { try await $0.renewLease(lease, duration: duration) }
    }

    func releaseLease(_ lease: CellLease) async throws {
        try await write { try await $0.releaseLease(lease) }
    }

    func leases() async throws -> [CellLeaseRecord] {
        try await read { try await $0.leases() }
    }

    func clusterState() async throws -> ClusterState {
        try await read { try await $0.clusterState() }
    }

    func raiseEpoch(quarantine: Duration) async throws -> Int {
        try await write { try await $0.raiseEpoch(quarantine: quarantine) }
    }

    func now() async throws -> Timestamp {
        try await read { try await $0.now() }
    }
}

extension StoreLink: FeedStore {
    func feed(after cursor: FeedCursor, limit: Int) async throws -> FeedPage {
        try await read { try await $0.feed(after: cursor, limit: limit) }
    }

    func feedPosition() async throws -> FeedCursor {
        try await read { try await $0.feedPosition() }
    }

    func feedPosition(resourceVersion: String) async throws -> FeedCursor {
        try await read { try await $0.feedPosition(resourceVersion: resourceVersion) }
    }

    func waitForChange(after seen: UInt64, timeout: Duration) async throws -> UInt64 {
        try await process.proceed()
        let hint = try await store.waitForChange(after: seen, timeout: timeout)
        try await process.proceed()
        return hint
    }

    func feedDelay() async throws -> Duration {
        try await read { try await $0.feedDelay() }
    }

    func pruneFeed(olderThan age: Duration) async throws {
        try await write { try await $0.pruneFeed(olderThan: age) }
    }
}

extension StoreLink: SessionStore {
    func createJoinToken(_ token: JoinToken, context: WriteContext, isTrial: Bool) async throws {
        try await write { try await $0.createJoinToken(token, context: context, isTrial: isTrial) }
    }

    func join(_ request: JoinSpending) async throws -> ID<AgentSession> {
        try await write { try await $0.join(request) }
    }

    func session(credentialHash: String) async throws -> SessionRecord? {
        try await read { try await $0.session(credentialHash: credentialHash) }
    }

    func hello(_ hello: SessionHello) async throws -> HelloOutcome {
        try await write { try await $0.hello(hello) }
    }

    func report(_ report: SessionReport) async throws -> [RefusedPart] {
        try await write { try await $0.report(report) }
    }

    func judgeHosts(cell: CellLease, terms: LeaseTerms, breaker: Double) async throws -> HostJudgement {
        try await write { try await $0.judgeHosts(cell: cell, terms: terms, breaker: breaker) }
    }

    func breakers() async throws -> [TrippedBreaker] {
        try await read { try await $0.breakers() }
    }

    func resetBreaker(cell: String, zone: String, context: WriteContext, isTrial: Bool) async throws -> Int {
        try await write {
            try await $0.resetBreaker(cell: cell, zone: zone, context: context, isTrial: isTrial)
        }
    }

    func releaseFenced(host: ID<Document>, everything: Bool, lease: CellLease, context: WriteContext)
        async throws -> [ID<Allocation>]
    {
        try await write {
            try await $0.releaseFenced(host: host, everything: everything, lease: lease, context: context)
        }
    }

    func sessions() async throws -> [SessionRecord] {
        try await read { try await $0.sessions() }
    }
}
