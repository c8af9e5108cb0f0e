public import Fleet

extension MemoryStore {
    public func commit(_ commit: LedgerCommit) async throws -> CommitOutcome {
        try write { try $0.commit(commit) }
    }

    public func cancelMigrations(
        _ targets: [ID<Allocation>], message: String, source: String, lease: CellLease
    ) async throws -> [ID<Allocation>] {
        try write { try $0.cancelMigrations(targets, message: message, source: source, lease: lease) }
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

    public func assignments(
        hosts: [ID<Document>], known: [ID<Document>: Int]
    ) async throws -> [HostAssignmentRecord] {
        try read { try $0.assignments(of: hosts, known: known) }
    }

    public func cellTotals() async throws -> [CellTotals] {
        let cells = read { state in state.documents.ordered(.cell).map(\.metadata.name) }
        let hosts = Dictionary(grouping: try await hosts(.all), by: \.cell)
        let live = Dictionary(grouping: try await allocations(.live), by: \.host)
        return cells.sorted().map { name in
            var totals = CellTotals(cell: name)
            for host in hosts[name] ?? [] { totals.add(host, live[host.id] ?? []) }
            return totals
        }
    }

    public func adopt(
        _ id: ID<Allocation>, draft: DocumentDraft?, context: WriteContext, isTrial: Bool
    ) async throws -> Allocation {
        try write(isTrial: isTrial) { try $0.adopt(id, draft: draft, context: context) }
    }

    public func stop(
        _ id: ID<Allocation>, context: WriteContext, isTrial: Bool
    ) async throws -> Allocation {
        try write(isTrial: isTrial) { try $0.stop(id, context: context) }
    }

    public func countWaitingVMs() async throws -> [String: Int] { try read { try $0.countWaitingVMs() } }

    public func writeLifetimes(_ note: LifetimeNote, lease: CellLease) async throws {
        try write { try $0.writeLifetimes(note, lease: lease) }
    }

    public func lifetimes(cell: String) async throws -> LifetimeRecord { read { $0.lifetimes(cell: cell) } }

    public func plan(_ id: ID<Plan>) async throws -> Plan? { read { $0.plans[id] } }

    public func planHead(cell: String, engine: Plan.Engine) async throws -> ID<Plan>? {
        read { $0.planHeads[PlanLine(cell: cell, engine: engine)] }
    }
}

extension CellTotals {
    fileprivate mutating func add(_ host: HostRecord, _ live: [Allocation]) {
        let usable = host.room.total - host.room.reserved
        hosts += 1
        readyHosts += host.contact == .ready ? 1 : 0
        emptyHosts += live.isEmpty ? 1 : 0
        capacity += usable
        used += Resources(milliCPU: host.room.consumedMilliCPU, memoryMiB: host.room.usedMemoryMiB)
        busyMilliCPU += live.isEmpty ? 0 : usable.milliCPU
        devices += host.devices.count
        usedDevices += host.takenDevices.count
        allocations += live.count
        running += live.count { $0.state == .active }
    }
}
