public import Fleet
internal import Foundation
internal import Oversubscription
public import Store

/// Says why ratios are what they are, by the rules that the ledger follows.
public struct RateExplainer: Sendable {
    private let store: any Store

    public init(store: any Store) { self.store = store }

    /// All cells and pools, and the hosts that a policy or a person speaks of, sorted.
    public func all(cell: String?) async throws -> [RateExplanation] {
        let facts = try await Facts(store)
        var scopes: Set<RateScope> = []
        for (scope, holder) in facts.holders where cell == nil || holder.cell == cell {
            let isNamed = holder.policy != nil || facts.constraints[scope] != nil
            if scope.level != .host || isNamed { scopes.insert(scope) }
        }
        var found: [RateExplanation] = []
        for scope in scopes.sorted() { found.append(try await explain(scope, facts)) }
        return found
    }

    /// - Throws: `StoreError.notFound`.
    public func explanation(of scope: RateScope) async throws -> RateExplanation {
        let facts = try await Facts(store)
        guard facts.holders[scope] != nil else {
            throw StoreError.notFound(kind: scope.level.kind, name: scope.name)
        }
        return try await explain(scope, facts)
    }

    /// Of the host that a VM is on; nil while it is on none.
    public func explanation(ofVM uid: ID<Document>) async throws -> RateExplanation? {
        let held = try await store.allocations(.workloads([uid])).last { $0.state.consumesCapacity }
        guard let held, let host = try await store.hosts(.ids([held.host])).first else { return nil }
        var found = try await explanation(of: RateScope(.host, host.name))
        found.vm = RateExplanation.VM(held)
        return found
    }

    /// What the ratio of a scope risked and gained over the window of its error budget.
    ///
    /// - Throws: `StoreError.notFound`.
    public func risk(of scope: RateScope) async throws -> RiskStatement {
        let facts = try await Facts(store)
        guard let holder = facts.holders[scope] else {
            throw StoreError.notFound(kind: scope.level.kind, name: scope.name)
        }
        let sources = facts.sources(of: scope)
        let rules = sources.first { $0.scope == scope }?.rules
        let budget = ErrorBudget(target: rules?.risk ?? OversubscriptionRules(mode: .managed).risk)
        let until = try await store.usageRolledTo()
        let today = Int(until?.seconds ?? 0) / 86_400
        let known = try await store.riskDays(of: [scope], since: today - budget.windowDays + 1)
        let days = (known[scope] ?? []).filter { $0.day <= today }
        let burned = budget.burned(days.map(ScopeDay.init), through: today)
        return RiskStatement(
            scope: scope, cell: holder.cell,
            ratioPerMille: EffectiveRate(sources, at: facts.now).ratioPerMille, target: budget.target,
            windowDays: budget.windowDays, burned: burned,
            state: RiskStatement.State(budget.verdict(burned: burned)), accountedTo: until,
            trial: facts.trials.first { $0.scope == scope }, days: days)
    }

    private func explain(_ scope: RateScope, _ facts: Facts) async throws -> RateExplanation {
        let sources = facts.sources(of: scope)
        let effective = EffectiveRate(sources, at: facts.now)
        let hosts = facts.hosts(in: scope)
        let decided = effective.scope ?? scope
        let decision = try await store.decisions(DecisionQuery(scope: decided, limit: 1)).first
        let hour = try await latestHour(of: decided)
        return RateExplanation(
            scope: scope, cell: facts.holders[scope]?.cell ?? "", effective: effective,
            sources: sources.map { source in
                .init(
                    scope: source.scope, policy: source.policy, mode: source.rules?.mode,
                    plainRatioPerMille: source.plainRatio, decidedRatioPerMille: source.decidedRatio,
                    constraints: source.constraints)
            },
            decision: decision, use: .init(hosts.map(\.room)),
            nextWindow: decision.map { $0.windowStart.advanced(by: .seconds($0.windowSeconds)) },
            latest: hour.flatMap { hour in
                hour.peak.map {
                    .init(
                        at: Timestamp(seconds: Double(hour.start)), peak: $0,
                        predictedPeak: decision?.evidence.predictedPeak)
                }
            },
            exceptions: hosts.filter { $0.room.cpuRatioPerMille != effective.ratioPerMille }
                .map { RateScope(.host, $0.name) }.sorted())
    }
}

extension RateExplainer {
    /// Hours in which the latest one is looked for: nobody waits longer for an agent to tell.
    private static let lookedHours = 3

    private func latestHour(of scope: RateScope) async throws -> ScopeHour? {
        guard let until = try await store.usageRolledTo() else { return nil }
        let since = until.advanced(by: .seconds(-3600 * Self.lookedHours))
        return try await store.scopeHours(of: [scope], since: since)[scope]?.last
    }
}

/// Everything that ratios follow from, as it is now.
private struct Facts {
    struct Holder {
        var cell: String
        var pool: String?
        var policy: String?
        var plainRatio: Int?
    }

    let now: Timestamp
    var holders: [RateScope: Holder] = [:]
    var policies: [String: (version: PolicyVersion, rules: OversubscriptionRules)] = [:]
    let rates: [RateScope: ScopeRate]
    let trials: [RateTrial]
    let constraints: [RateScope: [ScopeConstraint]]
    private let hosts: [HostRecord]

    init(_ store: any Store) async throws {
        now = try await store.now()
        rates = Dictionary(
            try await store.scopeRates().map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        constraints = Dictionary(grouping: try await store.constraints(ended: false), by: \.scope)
        trials = try await store.trials()
        hosts = try await store.hosts(.all)
        let cells = try await Self.all(.cell, store)
        let pools = try await Self.all(.pool, store)
        var named: [RateScope: String] = [:]
        for cell in Set(cells.map(\.metadata.name)) {
            for holder in try await store.policyHolders(cell: cell) { named[holder.scope] = holder.policy }
        }
        for cell in cells {
            let scope = RateScope(.cell, cell.metadata.name)
            holders[scope] = Holder(cell: scope.name, policy: named[scope])
        }
        for pool in pools {
            let scope = RateScope(.pool, pool.metadata.name)
            let spec = try JSONDecoder().decode(PoolSpec.self, from: Data(pool.spec.utf8))
            holders[scope] = Holder(cell: spec.cell, policy: named[scope], plainRatio: spec.cpuRatioPerMille)
        }
        for host in hosts {
            let scope = RateScope(.host, host.name)
            holders[scope] = Holder(cell: host.cell, pool: host.pool, policy: named[scope])
        }
        for name in Set(named.values) {
            guard let resource = try await store.document(.policy, project: nil, name: name),
                let record = PolicyRecord(resource), let rules = record.spec.oversubscription
            else { continue }
            policies[name] = (record.version, rules)
        }
    }

    private static func all(_ kind: Kind, _ store: any Store) async throws -> [Resource] {
        var found: [Resource] = []
        var query = ListQuery(kind: kind, limit: 1000)
        while true {
            let page = try await store.list(query)
            found += page.documents
            guard page.more, let last = page.documents.last?.metadata else { return found }
            query.after = .init(project: last.project ?? "", name: last.name)
        }
    }

    /// Every scope that covers the scope, itself included, from the nearest to the widest.
    func sources(of scope: RateScope) -> [EffectiveRate.Source] {
        guard let holder = holders[scope] else { return [] }
        var covering = [scope]
        if let pool = holder.pool { covering.append(RateScope(.pool, pool)) }
        if scope.level != .cell { covering.append(RateScope(.cell, holder.cell)) }
        let host = scope.level == .host ? scope.name : nil
        return covering.map { scope in
            let policy = holders[scope]?.policy.flatMap { policies[$0] }
            let trial = trials.first { $0.scope == scope && $0.hosts.contains { $0 == host } }
            return EffectiveRate.Source(
                scope: scope, policy: policy?.version, rules: policy?.rules,
                plainRatio: holders[scope]?.plainRatio,
                decidedRatio: trial?.ratioPerMille ?? rates[scope]?.ratioPerMille,
                constraints: constraints[scope] ?? [])
        }
    }

    func hosts(in scope: RateScope) -> [HostRecord] {
        hosts.filter { host in
            switch scope.level {
            case .cell: host.cell == scope.name
            case .pool: host.pool == scope.name
            case .host: host.name == scope.name
            }
        }
    }
}
