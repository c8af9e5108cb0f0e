internal import Fleet
internal import Store
internal import VMPlacement

extension CellPipeline {
    /// Moves migrations on: a source whose target stands by is told to stop, which hands its part over once
    /// its agent confirms it; what cannot be handed over is taken back.
    ///
    /// What is under way follows from the ledger alone, so that any controller goes on where another ended.
    func handOver() async throws -> Bool {
        guard !model.standbys.isEmpty else { return false }
        let cluster = try await store.clusterState()
        if let until = cluster.quarantineUntil, time.now() < until { return false }
        var stops: [ReleaseDirective] = []
        var cancelled: [String: [ID<Allocation>]] = [:]
        for id in model.standbys.sorted() {
            switch model.fate(ofStandby: id) {
            case .wait: continue
            case .stop(let directive) where stops.count < limits.groupsPerPlan: stops.append(directive)
            case .stop: continue
            case .cancel(let why): cancelled[why, default: []].append(id)
            }
        }
        for (why, ids) in cancelled.sorted(by: { $0.key < $1.key }) {
            _ = try await store.cancelMigrations(ids, message: why, source: "hosts", lease: lease)
        }
        if !cancelled.isEmpty {
            // The feed tells of it as well; until then they would be taken back again and again.
            for allocation in try await store.allocations(.ids(cancelled.values.flatMap(\.self).sorted())) {
                model.put(allocation: allocation)
            }
        }
        let stopped = try await release(stops, engine: .hostMaintenance, policy: "drain")
        return stopped || !cancelled.isEmpty
    }

    /// Reserves the targets of moves that begin now; stops what is to stop.
    func begin(_ decisions: [DrainDecision], why: (ID<Document>) -> String) async throws -> Bool {
        let now = time.now()
        let fleetNow = model.clock.time(at: now)
        model.placement.advance(to: fleetNow, repredicting: false)
        let trial = model.placement.lifetimeTrial
        let plan = ID<Plan>(ids.next())
        var groups: [DirectiveGroup] = []
        for decision in decisions {
            for move in decision.beginning.prefix(limits.groupsPerPlan - groups.count) {
                var target = move.target.allocation(
                    for: move.request, id: ID(ids.next()), cell: cell, plan: plan, now: now)
                target.arrival = MigrationArrival(migration: ID(ids.next()), standsBy: true)
                let predicted = model.placement.add(target, lifetime: move.vm.lifetime, at: fleetNow)
                let from = model.hosts[decision.host]?.name ?? ""
                let message =
                    "from host \(from) to host \(move.target.hostName): \(why(decision.host)); "
                    + move.reason(decision.order)
                groups.append(
                    DirectiveGroup([
                        .migrate(
                            MigrateDirective(
                                allocation: target, from: move.vm.allocation,
                                workloadGeneration: move.request.workloadGeneration,
                                hostGeneration: move.target.hostGeneration, message: message,
                                lifetime: predicted))
                    ]))
            }
        }
        guard !groups.isEmpty else { return false }
        let report = PlanReport(
            policy: "drain", hosts: model.hosts.count, placed: groups.count, unplaced: [])
        let directive = Plan(
            id: plan, cell: cell, engine: .hostMaintenance, parent: heads[.hostMaintenance] ?? nil,
            inputsHash: "", seed: 0, groups: groups, report: report, createdAt: now)
        try await commit(directive, lifetimes: try lifetimeNote(at: trial, for: directive), trial: trial)
        return true
    }
}

/// What becomes of a reservation that stands by.
enum StandbyFate {
    case wait
    /// The source is told to stop.
    case stop(ReleaseDirective)
    /// The reservation is freed, for the reason in words.
    case cancel(String)
}

extension CellModel {
    /// What the ledger holds once a migration is accepted.
    mutating func begin(_ migrate: MigrateDirective) {
        guard var source = allocations[migrate.from] else { return }
        source.departure = migrate.allocation.arrival?.migration
        put(allocation: migrate.allocation)
        put(allocation: source)
    }

    func fate(ofStandby id: ID<Allocation>) -> StandbyFate {
        guard let target = allocations[id], let source = source(of: target) else { return .wait }
        let name = hosts[target.host]?.name ?? target.host.description
        let isDeleted = vms[source.workload.uid]?.metadata.deletionTimestamp != nil
        // The ledger looks at the target once more when the source is free, and a short silence may be over
        // then.
        if source.state == .releasing {
            guard let host = hosts[target.host], host.contact != .fenced, !host.draining else {
                return .cancel("its target \(name) is gone or drained; it is placed anew")
            }
            return .wait
        }
        // Whoever deletes it stops the source; the reservation goes with it.
        guard !isDeleted else { return .wait }
        guard let host = hosts[target.host], host.contact == .ready, !host.draining, !host.cordoned else {
            return .cancel("its target \(name) takes no VMs any more; it stays where it is")
        }
        // A guard that is calm again wants nobody to leave.
        guard let from = hosts[source.host], from.draining || from.frozen else {
            return .cancel("its host is neither drained nor hot any more; it stays where it is")
        }
        guard from.contact == .ready else {
            return .cancel("its host \(from.name) lost contact; it stays where it is")
        }
        return .stop(
            ReleaseDirective(
                allocation: source.id, reason: from.draining ? .hostDrained : .hostHot,
                message: "host \(from.name) is \(from.draining ? "drained" : "hot"); "
                    + "it goes on on host \(name)"))
    }

    private func source(of target: Allocation) -> Allocation? {
        guard let migration = target.arrival?.migration else { return nil }
        return (byWorkload[target.workload.uid] ?? []).compactMap { allocations[$0] }.first {
            $0.departure == migration
        }
    }
}
