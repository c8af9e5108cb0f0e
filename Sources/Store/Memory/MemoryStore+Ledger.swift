public import Fleet

extension MemoryStore {
    public func commit(_ commit: LedgerCommit) async throws -> CommitOutcome {
        try write { try $0.commit(commit) }
    }

    public func writeStatuses(_ writes: [StatusWrite], lease: CellLease) async throws {
        try write { try $0.writeStatuses(writes, lease: lease) }
    }

    public func finalize(_ workloads: [ID<Document>], lease: CellLease) async throws -> [ID<Document>] {
        try write { try $0.finalize(workloads, lease: lease) }
    }

    public func hosts(_ filter: HostFilter) async throws -> [HostRecord] { read { $0.hosts(filter) } }

    public func allocations(_ filter: AllocationFilter) async throws -> [Allocation] {
        read { $0.allocations.matching(filter) }
    }

    public func assignments(hosts: [ID<Document>]) async throws -> [HostAssignmentRecord] {
        read { $0.assignments(of: hosts) }
    }

    public func countWaitingVMs() async throws -> [String: Int] { try read { try $0.countWaitingVMs() } }

    public func plan(_ id: ID<Plan>) async throws -> Plan? { read { $0.plans[id] } }

    public func planHead(cell: String, engine: Plan.Engine) async throws -> ID<Plan>? {
        read { $0.planHeads[PlanLine(cell: cell, engine: engine)] }
    }
}
