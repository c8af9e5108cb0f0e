import AgentProtocol
import Fleet

/// A bin of a host.
struct HostBinRow {
    var host: ID<Document>
    var bin: HostBin
}

/// Hosts that go by a decision before the others do.
struct TrialRow {
    var hosts: Set<ID<Document>>
    var startedAt: Timestamp
}

/// What a guard asked for, until it is forgotten.
struct GuardAskRow {
    var record: GuardAskRecord
    var cell: String
    var closedAt: Timestamp?
}

// MARK: Hours and days of scopes

extension MemoryState {
    private struct BinSums {
        var used = 0
        var sold = 0
        var largest = 0
        var bins = 0
        var hot = 0
        var saved = 0

        var share: Double { Double(used) / Double(max(1, sold)) }

        mutating func add(_ bin: UsageBin) {
            used += bin.p90MilliCPU
            sold += bin.soldMilliCPU
            largest = max(largest, bin.soldMilliCPU)
        }

        mutating func add(_ host: Self, saved: Int) {
            used += host.used
            sold += host.sold
            largest = max(largest, host.largest)
            bins += host.bins
            hot += host.hot
            self.saved += saved
        }
    }

    private struct Place: Hashable {
        var uid: ID<Document>
        var start: Int
    }

    /// Makes hours of the scopes that cover hosts now.
    ///
    /// - Parameter rows: bins of VMs that the hosts had.
    mutating func rollUpScopes(_ rows: [UsageBinRow], until end: Int) {
        var told: [Place: BinSums] = [:]
        let counted = Dictionary(grouping: rows) { row in
            UsageBinKey(host: row.host, vm: row.bin.vm, start: row.bin.start)
        }.values.compactMap { $0.max { $0.bin.maxMilliCPU < $1.bin.maxMilliCPU } }
        for row in counted where !isGuaranteed(row) {
            // Of many VMs the greatest samples do not come together.
            told[Place(uid: row.host, start: row.bin.start), default: .init()].add(row.bin)
        }
        let lived = hostBins.filter { $0.bin.start >= usageRolledTo && $0.bin.start < end }
        for (place, rows) in Dictionary(grouping: lived, by: { Place(uid: $0.host, start: $0.bin.start) }) {
            told[place, default: .init()].bins += 1
            told[place]?.hot += rows.contains { $0.bin.isHot } ? 1 : 0
        }
        var binned: [Place: BinSums] = [:]
        for (place, sums) in told {
            for scope in scopes(ofHost: place.uid) {
                binned[Place(uid: scope, start: place.start), default: .init()].add(
                    sums, saved: max(0, sums.sold - sharedCores(of: place.uid)))
            }
        }
        for (place, bins) in Dictionary(
            grouping: binned, by: { Place(uid: $0.key.uid, start: $0.key.start / 3600 * 3600) })
        {
            let key = UsageHourKey(vm: place.uid, start: place.start)
            if scopeHourRows[key] == nil { scopeHourRows[key] = Self.hour(place.start, bins) }
        }
    }

    private static func hour(_ start: Int, _ bins: [(key: Place, value: BinSums)]) -> ScopeHour {
        let fullest = bins.min { ($1.value.share, $0.key.start) < ($0.value.share, $1.key.start) }?.value
        func sum(_ member: KeyPath<BinSums, Int>) -> Int { bins.reduce(0) { $0 + $1.value[keyPath: member] } }
        return ScopeHour(
            start: start, usedMilliCPU: fullest?.used ?? 0, soldMilliCPU: fullest?.sold ?? 0,
            largestMilliCPU: fullest?.largest ?? 0, bins: sum(\.bins), hotBins: sum(\.hot),
            savedMilliCPU: sum(\.saved) / max(1, bins.count))
    }

    private func isGuaranteed(_ row: UsageBinRow) -> Bool {
        allocations.matching(.workloads([row.bin.vm])).contains {
            $0.host == row.host && $0.class == .guaranteed
        }
    }

    private func scopes(ofHost id: ID<Document>) -> [ID<Document>] {
        guard let host = hosts[id]?.record else { return [] }
        return [id]
            + [DocumentName(.pool, host.pool), DocumentName(.cell, host.cell)].compactMap {
                documents[$0]?.metadata.uid
            }
    }

    private func sharedCores(of id: ID<Document>) -> Int {
        guard let room = hosts[id]?.record.room else { return 0 }
        return max(0, room.total.milliCPU - room.reserved.milliCPU - room.guaranteedMilliCPU)
    }

    func scopeHours(of scopes: [RateScope], since: Int) -> [RateScope: [ScopeHour]] {
        byScope(scopes) { uid in
            scopeHourRows.filter { $0.key.vm == uid && $0.key.start >= since }.map(\.value)
                .sorted { $0.start < $1.start }
        }
    }

    mutating func recordDays(_ days: [RateScope: [RiskDay]], lease: CellLease) throws {
        try checkLease(lease)
        for (scope, told) in days {
            guard let uid = uid(of: scope) else { continue }
            for day in told { riskDayRows[uid, default: [:]][day.day] = day }
        }
    }

    func riskDays(of scopes: [RateScope], since day: Int) -> [RateScope: [RiskDay]] {
        byScope(scopes) { uid in
            (riskDayRows[uid] ?? [:]).values.filter { $0.day >= day }.sorted { $0.day < $1.day }
        }
    }

    private func uid(of scope: RateScope) -> ID<Document>? {
        documents[DocumentName(scope.level.kind, scope.name)].flatMap {
            $0.metadata.deletionTimestamp == nil ? $0.metadata.uid : nil
        }
    }

    private func byScope<Value>(
        _ scopes: [RateScope], _ values: (ID<Document>) -> [Value]
    ) -> [RateScope: [Value]] {
        scopes.reduce(into: [:]) { found, scope in
            let values = uid(of: scope).map(values) ?? []
            if !values.isEmpty { found[scope] = values }
        }
    }
}

private struct UsageBinKey: Hashable {
    var host: ID<Document>
    var vm: ID<Document>
    var start: Int
}

// MARK: Trials

extension MemoryState {
    /// The ratio that is tried on a host, of the scope with a document.
    func trialRatio(ofHost host: ID<Document>, scope: ID<Document>) -> Int? {
        trialRows.compactMap { id, trial -> Int? in
            guard trial.hosts.contains(host), let row = rateDecisions[id], row.document == scope,
                row.decision.state == .approved
            else { return nil }
            return row.decision.ratioPerMille
        }.first
    }

    mutating func beginTrial(
        of id: ID<ScopeDecision>, on tried: [ID<Document>], startedAt: Timestamp, event: EventWords,
        lease: CellLease
    ) throws -> Bool {
        try checkLease(lease)
        guard let row = approved(id, lease), trialRows[id] == nil, let document = documents[row.document]
        else { return false }
        trialRows[id] = TrialRow(
            hosts: Set(tried), startedAt: Timestamp(seconds: Double(startedAt.wholeSeconds)))
        try followRates { tried.contains($0.id) }
        append(.about(document, event.reason, event.message, source: "oversubscription"))
        return true
    }

    mutating func withdraw(
        _ id: ID<ScopeDecision>, event: EventWords, lease: CellLease
    ) throws -> Bool {
        try checkLease(lease)
        guard let row = approved(id, lease), let document = documents[row.document] else { return false }
        rateDecisions[id]?.decision.state = .rolledBack
        let now = now
        rateDecisions[id]?.decision.closedAt = now
        let tried = trialRows[id]?.hosts ?? []
        try followRates { tried.contains($0.id) }
        append(.about(document, event.reason, event.message, source: "oversubscription"))
        return true
    }

    private func approved(_ id: ID<ScopeDecision>, _ lease: CellLease) -> DecisionRow? {
        rateDecisions[id].flatMap {
            $0.decision.state == .approved && $0.decision.cell == lease.cell ? $0 : nil
        }
    }

    func trials() -> [RateTrial] {
        trialRows.compactMap { id, trial -> RateTrial? in
            guard let decision = rateDecisions[id]?.decision, decision.state == .approved else { return nil }
            return RateTrial(
                decision: id, scope: decision.scope, ratioPerMille: decision.ratioPerMille,
                hosts: trial.hosts.compactMap { hosts[$0]?.record.name }.sorted(),
                startedAt: trial.startedAt)
        }.sorted { ($0.scope, $0.decision) < ($1.scope, $1.decision) }
    }
}

// MARK: Guards

extension MemoryState {
    /// A guard is believed about what runs on its host. The latest of its words about an allocation counts.
    mutating func take(asks notes: [GuardNote], of host: HostRecord) {
        for note in notes {
            guard let ask = note.ask, let allocation = allocations[ask.allocation],
                allocation.host == host.id, allocation.state == .reserved || allocation.state == .active
            else { continue }
            guardAskRows[ask.allocation] = GuardAskRow(
                record: GuardAskRecord(ask: ask, host: host.id, message: note.message, at: now),
                cell: allocation.cell)
        }
    }

    func openGuardAsks(cell: String) -> [GuardAskRecord] {
        guardAskRows.values.filter { $0.cell == cell && $0.closedAt == nil }.map(\.record)
            .sorted { $0.ask.allocation < $1.ask.allocation }
    }

    mutating func closeGuardAsks(_ ids: [ID<Allocation>], lease: CellLease) throws {
        try checkLease(lease)
        let now = now
        for id in ids where guardAskRows[id]?.cell == lease.cell && guardAskRows[id]?.closedAt == nil {
            guardAskRows[id]?.closedAt = now
        }
    }
}
