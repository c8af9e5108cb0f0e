import Fleet

/// What belongs to a scope's document, and goes with it.
struct ConstraintRow {
    var document: ID<Document>
    var constraint: ScopeConstraint
}

struct DecisionRow {
    var document: ID<Document>
    var decision: ScopeDecision
}

// MARK: What is in force

extension MemoryState {
    /// The ratio that a host's row follows.
    func rate(ofHost uid: ID<Document>, pool: String, cell: String) throws -> EffectiveRate {
        let holders = [
            documents[uid], documents[DocumentName(.pool, pool)], documents[DocumentName(.cell, cell)],
        ]
        return EffectiveRate(
            try holders.compactMap { try $0.flatMap { try source($0, ofHost: uid) } }, at: now)
    }

    private func source(_ holder: Resource, ofHost host: ID<Document>) throws -> EffectiveRate.Source? {
        guard let level = RateScope.Level(rawValue: holder.kind.rawValue.lowercased()) else { return nil }
        let spec = try JSONContent(holder.spec)
        let uid = holder.metadata.uid
        var source = EffectiveRate.Source(scope: RateScope(level, holder.metadata.name))
        if let name = spec["policies"]?["oversubscription"]?.text,
            let policy = documents[DocumentName(.policy, name)]
        {
            source.policy = PolicyVersion(name: name, version: policy.metadata.generation)
            source.rules = try DocumentTypes.oversubscription(in: policy.spec)
        }
        source.plainRatio = level == .pool ? spec["cpuRatioPerMille"]?.integer : nil
        source.decidedRatio = trialRatio(ofHost: host, scope: uid) ?? scopeRates[uid]?.ratioPerMille
        source.constraints = constraints.values.filter { $0.document == uid }.map(\.constraint)
        return source
    }

    /// Brings hosts to what is in force. Below what is used it is legal: only worsening is refused.
    mutating func followRates(of isMember: (HostRecord) -> Bool) throws {
        for id in hosts.values.map(\.record).filter(isMember).map(\.id).sorted() {
            guard var row = hosts[id] else { continue }
            let rate = try rate(ofHost: id, pool: row.record.pool, cell: row.record.cell)
            guard row.record.room.take(rate) else { continue }
            row.record.generation += 1
            hosts[id] = row
            recordLedger(of: row.record)
        }
    }

    private mutating func followRates(ofScope scope: RateScope) throws {
        try followRates { host in
            switch scope.level {
            case .cell: host.cell == scope.name
            case .pool: host.pool == scope.name
            case .host: host.name == scope.name
            }
        }
    }

    /// Hosts follow what was written about their policies.
    mutating func followRates(after resource: Resource) throws {
        let name = resource.metadata.name
        switch resource.kind {
        case .pool: try followRates(ofScope: RateScope(.pool, name))
        case .cell: try followRates(ofScope: RateScope(.cell, name))
        case .policy:
            let users = [Kind.cell, .pool, .host].flatMap { documents.ordered($0) }
            let named = Set(
                try users.filter {
                    try JSONContent($0.spec)["policies"]?["oversubscription"]?.text == name
                }.map { DocumentName($0.kind, $0.metadata.name) })
            try followRates { host in
                named.contains(DocumentName(.cell, host.cell))
                    || named.contains(DocumentName(.pool, host.pool))
                    || named.contains(DocumentName(.host, host.name))
            }
        default: break
        }
    }

    func policyHolders(cell: String) throws -> [PolicyHolder] {
        try RateScope.Level.allCases.flatMap { level in
            try documents.ordered(level.kind).compactMap { resource in
                guard try self.cell(of: resource) == cell,
                    let policy = try JSONContent(resource.spec)["policies"]?["oversubscription"]?.text
                else { return nil }
                return PolicyHolder(scope: RateScope(level, resource.metadata.name), policy: policy)
            }
        }.sorted { $0.scope < $1.scope }
    }

    /// What is kept about a scope goes with its document.
    mutating func forgetRates(of uid: ID<Document>) {
        scopeRates[uid] = nil
        constraints = constraints.filter { $0.value.document != uid }
        rateDecisions = rateDecisions.filter { $0.value.document != uid }
        trialRows = trialRows.filter { rateDecisions[$0.key] != nil }
        riskDayRows[uid] = nil
        scopeHourRows = scopeHourRows.filter { $0.key.vm != uid }
        guardAskRows = guardAskRows.filter { $0.value.record.host != uid }
    }

    private func document(of scope: RateScope) -> Resource? {
        documents[DocumentName(scope.level.kind, scope.name)].flatMap {
            $0.metadata.deletionTimestamp == nil ? $0 : nil
        }
    }
}

// MARK: Peaks

extension MemoryState {
    mutating func recordPeaks(_ peaks: [ID<Allocation>: Int?], lease: CellLease) throws -> Int {
        try checkLease(lease)
        var moved = 0
        for (id, asked) in peaks.sorted(by: { $0.key < $1.key }) {
            guard var allocation = allocations[id], allocation.state.consumesCapacity,
                allocation.cell == lease.cell, !allocation.isGuaranteed
            else { continue }
            let peak = asked.map { min(max($0, 0), allocation.resources.milliCPU) }
            guard peak != allocation.peakMilliCPU else { continue }
            hosts[allocation.host]?.record.room.add(allocation, sign: -1)
            allocation.peakMilliCPU = peak
            hosts[allocation.host]?.record.room.add(allocation)
            allocations.put(allocation)
            record(.updated, of: allocation)
            moved += 1
        }
        return moved
    }
}

// MARK: Decisions

extension MemoryState {
    mutating func decide(_ change: RateChange, lease: CellLease) throws -> Bool {
        try checkLease(lease)
        var decision = change.decision
        guard let document = document(of: decision.scope) else { return false }
        let uid = document.metadata.uid
        var rate = scopeRates[uid] ?? ScopeRate(scope: decision.scope)
        // One that was answered meanwhile is not applied after all, nor is one that was applied.
        guard rate.generation == decision.generation,
            rateDecisions[decision.id]?.decision.state.isOpen ?? true
        else { return false }
        for (id, row) in rateDecisions where row.document == uid && id != decision.id {
            if row.decision.state.isOpen { close(id, .superseded) }
            if row.decision.state == .applied, decision.state == .applied { close(id, change.before) }
        }
        if let known = rateDecisions[decision.id]?.decision {
            let state = decision.state
            decision = known
            decision.state = state
        } else {
            decision.createdAt = now
        }
        rateDecisions[decision.id] = DecisionRow(document: uid, decision: decision)
        if decision.state == .applied {
            rate.ratioPerMille = decision.ratioPerMille
            rate.generation += 1
            rate.decision = decision.id
            rate.decidedAt = decision.windowStart
        }
        scopeRates[uid] = rate
        if decision.state == .applied { try followRates(ofScope: decision.scope) }
        if let reason = change.reason {
            append(.about(document, reason, change.message, source: "oversubscription"))
        }
        return true
    }

    private mutating func close(
        _ id: ID<ScopeDecision>, _ state: ScopeDecision.State, by actor: String? = nil
    ) {
        let now = now
        rateDecisions[id]?.decision.state = state
        rateDecisions[id]?.decision.closedAt = now
        if let actor { rateDecisions[id]?.decision.answeredBy = actor }
    }

    mutating func approve(
        _ id: ID<ScopeDecision>, reason: String, context: WriteContext
    ) throws -> ScopeDecision {
        guard let row = rateDecisions[id], let document = documents[row.document] else {
            throw StoreError.notFound(kind: .plan, name: id.description)
        }
        var decision = row.decision
        guard decision.state == .proposed, !decision.isShadow else { return decision }
        decision.state = .approved
        decision.answeredBy = context.actor
        rateDecisions[id] = DecisionRow(document: row.document, decision: decision)
        writeAudit(context, kind: document.kind, name: document.metadata.name)
        append(.about(document, .ratioApproved, reason, source: context.actor))
        return decision
    }

    mutating func recordOutcomes(
        _ outcomes: [ID<ScopeDecision>: ScopeDecision.Realized], lease: CellLease
    ) throws {
        try checkLease(lease)
        for (id, outcome) in outcomes where rateDecisions[id]?.decision.cell == lease.cell {
            rateDecisions[id]?.decision.realized = outcome
        }
    }

    mutating func keepDecisions(for age: Duration) -> Int {
        let since = fleetTime(now).advanced(by: .zero - age)
        let old = rateDecisions.filter { _, row in
            [.superseded, .rolledBack].contains(row.decision.state) && row.decision.windowStart < since
        }.keys
        for id in old {
            rateDecisions[id] = nil
            trialRows[id] = nil
        }
        return old.count
    }

    func decisions(_ query: DecisionQuery) -> [ScopeDecision] {
        let found = rateDecisions.values.map(\.decision).filter {
            (query.cell.map { [$0] } ?? [$0.cell]).contains($0.cell)
                && (query.scope ?? $0.scope) == $0.scope && (query.id ?? $0.id) == $0.id
                && (query.states.isEmpty || query.states.contains($0.state))
        }
        return Array(
            found.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(max(0, query.limit)))
    }
}

// MARK: People

extension MemoryState {
    mutating func constrain(_ asked: ScopeConstraint, context: WriteContext) throws -> ScopeConstraint {
        guard let document = document(of: asked.scope) else {
            throw StoreError.notFound(kind: asked.scope.level.kind, name: asked.scope.name)
        }
        let uid = document.metadata.uid
        var constraint = asked
        (constraint.author, constraint.createdAt, constraint.endedAt) = (context.actor, now, nil)
        constraints[constraint.id] = ConstraintRow(document: uid, constraint: constraint)
        for (id, row) in rateDecisions where row.document == uid && row.decision.state.isOpen {
            close(id, .superseded, by: context.actor)
        }
        try followRates(ofScope: asked.scope)
        writeAudit(context, kind: document.kind, name: document.metadata.name)
        append(
            .about(document, constraint.eventReason, constraint.eventMessage, source: context.actor))
        return constraint
    }

    mutating func unconstrain(
        _ id: ID<ScopeConstraint>, reason: String, context: WriteContext
    ) throws {
        guard let row = constraints[id], row.constraint.isInForce(at: now),
            let document = documents[row.document]
        else { throw StoreError.notFound(kind: .policy, name: id.description) }
        let now = now
        constraints[id]?.constraint.endedAt = now
        try followRates(ofScope: row.constraint.scope)
        writeAudit(context, kind: document.kind, name: document.metadata.name)
        let message = "\(row.constraint.verb.rawValue) by \(row.constraint.author) is taken back: \(reason)"
        append(.about(document, .constraintEnded, message, source: context.actor))
    }
}

extension HostRoom {
    /// - Returns: false when nothing changes.
    mutating func take(_ rate: EffectiveRate) -> Bool {
        guard
            (cpuRatioPerMille, maxUtilizationPerMille) != (rate.ratioPerMille, rate.maxUtilizationPerMille)
        else { return false }
        (cpuRatioPerMille, maxUtilizationPerMille) = (rate.ratioPerMille, rate.maxUtilizationPerMille)
        return true
    }
}
