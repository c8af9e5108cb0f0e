import Fleet

/// Migrations: a reservation on the target stands by until its source is free.
extension MemoryState {
    /// Why a part cannot move, by the first rule that refuses: its source, then what refuses an allocation
    /// but for the quota.
    func refusal(
        of directive: MigrateDirective, plan: Plan
    ) -> (reason: Reason, host: ID<Document>?)? {
        let target = directive.allocation
        guard let source = earlier(directive.from, than: plan), source.cell == plan.cell,
            source.state == .reserved || source.state == .active, !source.quarantined, !source.isStandby,
            source.departure == nil, source.host != target.host, source.workload.uid == target.workload.uid,
            source.workload.part == target.workload.part
        else { return (.allocationGone, nil) }
        return refusal(of: directive.plain, cell: plan.cell, source: source.id)
    }

    mutating func reserve(_ directive: MigrateDirective, plan: Plan, attempt: inout GroupAttempt) {
        guard var source = allocations[directive.from],
            let migration = directive.allocation.arrival?.migration
        else { return }  // why: it was found to refuse nothing
        attempt.before.append(source)
        take(directive.plain, plan: plan, attempt: &attempt)
        guard var target = allocations[directive.allocation.id] else { return }
        target.arrival = MigrationArrival(migration: migration, standsBy: true)
        usage[target.workload.project, default: QuotaUsage()].add(target, sign: -1)
        allocations.put(target)
        source.departure = migration
        allocations.put(source)
        attempt.made[attempt.made.count - 1] = target
        attempt.effects[attempt.effects.count - 1] = .init(
            allocation: target, change: .created, reason: directive.reason, message: directive.message)
        attempt.departed.append(source)
    }

    /// - Throws: `leaseLost`.
    mutating func cancelMigrations(
        _ targets: [ID<Allocation>], message: String, source: String, lease: CellLease
    ) throws -> [ID<Allocation>] {
        try checkLease(lease)
        let found = allocations.matching(.ids(targets)).filter {
            $0.cell == lease.cell && $0.isStandby && $0.state.consumesCapacity
        }
        for target in found { cancel(target, message: message, source: source) }
        return found.map(\.id)
    }

    private mutating func cancel(_ target: Allocation, message: String, source: String) {
        release(target, source: source)
        append(.about(target.workload, .migrationCancelled, message, source: source))
    }

    /// What the end of an allocation means for its migrations: a source hands its part over, unless the
    /// target can take nothing any more; a reservation leaves its source as it was.
    mutating func settleMigrations(of released: Allocation, source: String) {
        if released.isStandby, let migration = released.arrival?.migration {
            stay(migration, of: released.workload.uid)
        }
        guard let migration = released.departure,
            var target = allocations.standby(of: migration, workload: released.workload.uid)
        else { return }
        guard target.state == .reserved, let host = hosts[target.host]?.record, host.contact == .ready,
            !host.draining, let workload = documents[target.workload.uid],
            workload.metadata.deletionTimestamp == nil
        else {
            cancel(target, message: "its target takes nothing any more, or it is to go", source: source)
            return
        }
        target.arrival?.standsBy = false
        usage[target.workload.project, default: QuotaUsage()].add(target)
        allocations.put(target)
        raiseAssignments(of: [target.host])
        record(.updated, of: target)
        append(.about(target.workload, .migrated, "goes on on \(host.name)", source: source))
    }

    private mutating func stay(_ migration: ID<PartMigration>, of workload: ID<Document>) {
        guard var source = allocations.source(of: migration, workload: workload) else { return }
        source.departure = nil
        allocations.put(source)
        record(.updated, of: source)
    }

    /// A reservation whose part runs already, which an agent from before a restore may say: it is found
    /// running beside what writes, and somebody has to look.
    ///
    /// - Returns: hosts whose agents are to be told something else.
    mutating func takePremature(
        _ allocation: Allocation, on host: HostRecord, source: String
    ) -> Set<ID<Document>> {
        var changed: Set = [host.id]
        var found = allocation
        found.state = .active
        found.quarantined = true
        found.arrival?.standsBy = false
        usage[found.workload.project, default: QuotaUsage()].add(found)
        allocations.put(found)
        record(.updated, of: found)
        if let migration = found.arrival?.migration,
            let writer = allocations.source(of: migration, workload: found.workload.uid)
        {
            stay(migration, of: found.workload.uid)
            changed.insert(writer.host)
        }
        let message = "runs on \(host.name) before it was handed over"
        append(.about(found.workload, .quarantined, message, source: source))
        return changed
    }
}

extension MigrateDirective {
    /// What the target would be asked for if nothing moved.
    var plain: AllocateDirective {
        AllocateDirective(
            allocation: allocation, workloadGeneration: workloadGeneration, hostGeneration: hostGeneration,
            message: message, lifetime: lifetime)
    }
}
