internal import AgentProtocol
internal import Fleet
internal import Logging
internal import Store
internal import VMPlacement

extension CellPipeline {
    /// A guard that is not answered asks again; what it asked for so long ago is not what it asks for now.
    private static let askStands = Duration.seconds(600)

    /// Does what guards of hot hosts ask for: moves a VM away by a migration like any other, or stops a spot
    /// VM, which then waits for another host.
    func relieve() async throws -> Bool {
        let now = time.now()
        if let relievedAt, now.since(relievedAt) < limits.relieveEvery { return false }
        relievedAt = now
        // A host whose guard asks for anything takes no VMs.
        guard model.hosts.values.contains(where: \.frozen) else { return false }
        let asks = try await store.guardAsks(cell: cell)
        guard !asks.isEmpty else { return false }
        let cluster = try await store.clusterState()
        // What was found after a restore has to be sorted out first: nothing is stopped meanwhile.
        if let until = cluster.quarantineUntil, now < until { return false }
        var done: [ID<Allocation>] = []
        var worked = false
        for record in asks {
            guard now.since(record.at) < Self.askStands, let host = model.hosts[record.host], host.frozen,
                let allocation = model.allocations[record.ask.allocation], allocation.host == record.host,
                allocation.state == .active || allocation.state == .reserved, allocation.departure == nil
            else {
                done.append(record.ask.allocation)
                continue
            }
            switch record.ask.verb {
            case .migrate:
                worked = try await relieve(record, host, FleetClock(cluster), now) || worked
            case .evict where allocation.class == .spot:
                let stop = ReleaseDirective(
                    allocation: allocation.id, reason: .hostHot,
                    message: "its host \(host.name) \(record.message)")
                worked = try await release([stop], engine: .hostMaintenance, policy: "relief") || worked
            case .evict:
                logger.warning("a guard asks that a VM stops that is none of the spot class")
            }
            done.append(record.ask.allocation)
        }
        try await store.closeGuardAsks(done.sorted(), lease: lease)
        return worked
    }

    /// Begins to move one VM; where it cannot go, the host is told why.
    private func relieve(
        _ record: GuardAskRecord, _ host: HostRecord, _ clock: FleetClock, _ now: Timestamp
    ) async throws -> Bool {
        let terms = DrainTerms(
            rules: model.pools[host.pool]?.migrations ?? MigrationRules(), now: clock.time(at: now))
        let (inputs, round) = model.drainInputs([(host, terms)], clock: clock, explained: 1, now: terms.now)
        var hosts = inputs
        hosts[0].vms.removeAll { $0.allocation != record.ask.allocation }
        // The guard has said which, and that it goes now.
        hosts[0].underWay = 0
        var planner = DrainPlanner()
        let decision = planner.plan(hosts, on: model.placement, terms: round).decisions.first
        guard let decision, decision.beginning.count == 1 else {
            let blocked = decision?.blocked.first
            let name = model.allocations[record.ask.allocation].map { "\($0.workload)" } ?? ""
            let why = blocked.map { "\($0.project)/\($0.name) stays: \($0.message)" }
            try await store.appendEvents([
                EventDraft(
                    kind: .host, project: nil, name: host.name, uid: host.id, reason: .hostHot,
                    message: why ?? "\(name) stays: no slot for a migration is free", source: "hosts")
            ])
            return false
        }
        return try await begin([decision]) { _ in "its guard \(record.message)" }
    }
}
