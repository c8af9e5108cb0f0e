import Fleet

/// What the pools of a plan went by, and what policies in the shadow would have done.
struct PoolDecisions {
    private var pools: [String: PlanReport.PoolLifetimes] = [:]
    private var reasons: [String: [String: Int]] = [:]

    /// Notes that a VM of a pool is placed.
    ///
    /// - Parameter cell: before it takes its place.
    mutating func note(
        _ request: VMRequest, on host: ID<Document>, of cell: PlacementCell, inputs: PlacementPlanInputs
    ) {
        guard let pool = request.pool else { return }
        let policy = inputs.policy(for: request)
        let shadow = inputs.poolShadows[pool]
        guard policy.needsLifetimes || shadow != nil else { return }
        var decision =
            pools[pool]
            ?? PlanReport.PoolLifetimes(
                pool: pool, policy: policy, goesBy: cell.followed(policy),
                classAccuracyPerMille: cell.classAccuracy?.share.map { Int(($0 * 1000).rounded()) },
                shadow: shadow.map { .init(policy: $0, goesBy: cell.followed($0)) })
        if let shadow {
            decision.shadow?.asked += 1
            if let score = cell.difference(of: host, from: request, by: shadow) {
                decision.shadow?.differ += 1
                reasons[pool, default: [:]][score, default: 0] += 1
            }
        }
        pools[pool] = decision
    }

    /// By pool; nil when there is nothing to say.
    var report: [PlanReport.PoolLifetimes]? {
        guard !pools.isEmpty else { return nil }
        return pools.values.sorted { $0.pool < $1.pool }.map { decision in
            var decision = decision
            decision.shadow?.reasons = (reasons[decision.pool] ?? [:]).sorted { $0.key < $1.key }
                .map { .init(score: $0.key, vms: $0.value) }
            return decision
        }
    }
}

extension PlacementCell {
    /// Name of the score by which a policy prefers another host for the request; nil when it chooses the
    /// same.
    fileprivate func difference(
        of host: ID<Document>, from request: VMRequest, by policy: PlacementPolicy
    ) -> String? {
        let compiled = compile(request)
        let chain = chain(for: request, policy: policy)
        guard let slot = hosts.slot(of: HostKey(host)), let best = hosts.best(for: compiled, by: chain),
            best != slot
        else { return nil }
        let columns = ScoredColumns(hosts, guaranteed: compiled.isGuaranteed)
        let score = chain.score
        let mine = score.words(score.value(of: best, for: compiled, in: columns))
        let theirs = score.words(score.value(of: slot, for: compiled, in: columns))
        let decisive = zip(mine, theirs).first { $0 != $1 }?.0
        return decisive.map { String($0.prefix { $0 != "=" }) } ?? "order"
    }
}
