import Fleet

extension MemoryState {
    /// Applies a plan. It is stored and heads its line also when every group was refused or there are none.
    mutating func commit(_ commit: LedgerCommit) throws -> CommitOutcome {
        let plan = commit.plan
        try commit.checkMigrations()
        try checkLease(commit.lease)
        // The lease covers one cell; a plan for another has no lease at all.
        guard plan.cell == commit.lease.cell else { throw StoreError.leaseLost(cell: plan.cell) }
        guard plans[plan.id] == nil else { throw StoreError.planAlreadyApplied(plan.id) }
        let line = PlanLine(cell: plan.cell, engine: plan.engine)
        guard plan.parent == planHeads[line] else {
            throw StoreError.planParentStale(current: planHeads[line])
        }
        for status in commit.statuses.values { _ = try JSONContent(status) }
        for text in commit.lifetimes?.texts ?? [] { _ = try JSONContent(text) }
        let number = transactionNumber()
        var progress = CommitProgress()
        for (index, group) in plan.groups.enumerated() {
            apply(group, index: index, of: plan, progress: &progress)
        }
        let touched = Set(progress.effects.map(\.allocation.host))
        raiseAssignments(of: touched)
        for effect in progress.effects {
            record(effect.change, of: allocations[effect.allocation.id] ?? effect.allocation)
            append(
                .about(
                    effect.allocation.workload, effect.reason, effect.message, source: plan.engine.rawValue))
        }
        for source in progress.departed { record(.updated, of: allocations[source.id] ?? source) }
        try writeStatuses(of: commit, progress: progress)
        rememberLifetimes(of: commit)
        var stored = plan
        stored.createdAt = now
        plans[plan.id] = stored
        planHeads[line] = plan.id
        return CommitOutcome(refusals: progress.refusals, transaction: number)
    }

    private mutating func apply(
        _ group: DirectiveGroup, index: Int, of plan: Plan, progress: inout CommitProgress
    ) {
        var attempt = GroupAttempt()
        let workloads = group.directives.compactMap { workload(of: $0, plan: plan) }
        for directive in group.directives {
            guard let refusal = apply(directive, of: plan, attempt: &attempt) else { continue }
            takeBack(attempt)
            progress.refusals.append(
                GroupRefusal(group: index, reason: refusal.reason, host: refusal.host))
            progress.refused.formUnion(workloads)
            return
        }
        progress.effects += attempt.effects
        progress.departed += attempt.departed
        progress.accepted.formUnion(workloads)
    }

    private mutating func apply(
        _ directive: Directive, of plan: Plan, attempt: inout GroupAttempt
    ) -> (reason: Reason, host: ID<Document>?)? {
        switch directive {
        case .allocate(let allocate):
            if let refusal = refusal(of: allocate, cell: plan.cell) { return refusal }
            take(allocate, plan: plan, attempt: &attempt)
            return nil
        case .migrate(let migrate):
            if let refusal = refusal(of: migrate, plan: plan) { return refusal }
            reserve(migrate, plan: plan, attempt: &attempt)
            return nil
        case .release(let release):
            guard let allocation = earlier(release.allocation, than: plan), allocation.cell == plan.cell,
                allocation.state.consumesCapacity
            else { return (.allocationGone, nil) }
            stop(allocation, release, attempt: &attempt)
            return nil
        }
    }

    mutating func take(_ directive: AllocateDirective, plan: Plan, attempt: inout GroupAttempt) {
        var allocation = directive.allocation
        allocation.state = .reserved
        allocation.quarantined = false
        allocation.createdAt = now
        allocation.releasedAt = nil
        allocation.peakMilliCPU = nil
        allocation.end = nil
        allocation.plan = plan.id
        allocation.devices.sort()
        let project = allocation.workload.project
        if attempt.hosts[allocation.host] == nil { attempt.hosts[allocation.host] = hosts[allocation.host] }
        if attempt.usage[project] == nil { attempt.usage[project] = usage[project] ?? QuotaUsage() }
        hosts[allocation.host]?.take(allocation)
        usage[project, default: QuotaUsage()].add(allocation)
        allocations.put(allocation)
        attempt.made.append(allocation)
        attempt.effects.append(
            .init(
                allocation: allocation, change: .created, reason: .scheduled, message: directive.message))
    }

    /// A reserved allocation goes to releasing as well, because its agent may have started it. One that is
    /// releasing already stays so without a trace.
    private mutating func stop(
        _ allocation: Allocation, _ directive: ReleaseDirective, attempt: inout GroupAttempt
    ) {
        guard allocation.state != .releasing else { return }
        var releasing = allocation
        releasing.state = .releasing
        allocations.put(releasing)
        attempt.before.append(allocation)
        attempt.effects.append(
            .init(
                allocation: releasing, change: .updated, reason: directive.reason, message: directive.message)
        )
    }

    private mutating func takeBack(_ attempt: GroupAttempt) {
        for (id, row) in attempt.hosts { hosts[id] = row }
        for (project, use) in attempt.usage { usage[project] = use }
        for allocation in attempt.before { allocations.put(allocation) }
        for allocation in attempt.made { allocations.remove(allocation) }
    }

    private func workload(of directive: Directive, plan: Plan) -> ID<Document>? {
        switch directive {
        case .allocate(let allocate): allocate.allocation.workload.uid
        case .migrate(let migrate): migrate.allocation.workload.uid
        case .release(let release): earlier(release.allocation, than: plan)?.workload.uid
        }
    }

    /// An allocation that was there before the plan: a plan does not release what it takes itself.
    func earlier(_ id: ID<Allocation>, than plan: Plan) -> Allocation? {
        allocations[id].flatMap { $0.plan == plan.id ? nil : $0 }
    }

    /// The status of a workload is written when a group touches it and no refused group does.
    private mutating func writeStatuses(of commit: LedgerCommit, progress: CommitProgress) throws {
        for uid in commit.statuses.keys.sorted() {
            guard progress.accepted.contains(uid), !progress.refused.contains(uid),
                var resource = documents[uid], let status = commit.statuses[uid]
            else { continue }
            resource.status = status
            try record(.updated, of: &resource)
            documents.put(resource)
        }
    }
}
