internal import Fleet
internal import Store
internal import VMPlacement

extension CellModel {
    /// What a drain of a host with this spec would do now.
    func drainPreview(host: HostRecord, spec: HostSpec, clock: FleetClock, now: Timestamp) -> DrainPreview {
        let terms = drainTerms(of: spec, now: now)
        var planner = DrainPlanner()
        var round = drainRound([(host, terms)], planner: &planner, clock: clock, explained: .max)
        round.after.reopen(as: placement)
        guard let decision = round.decisions[host.id] else {
            return DrainPreview(host: host.name, moves: [], blocked: [])
        }
        let state = DrainState(decision, terms: terms)
        return DrainPreview(
            host: host.name, moves: decision.moves.map { $0.preview(decision.order) },
            blocked: decision.blocked, opensAt: state.opensAt, waitsUntil: decision.waitsUntil,
            before: placement.summary(), after: round.after.summary())
    }

    /// Hosts of a pool that are in service, and how many of them are empty.
    func fullness(ofPool pool: String) -> (hosts: Int, empty: Int) {
        hosts.values.reduce(into: (0, 0)) { sum, host in
            guard host.pool == pool, host.contact == .ready else { return }
            sum.0 += 1
            if byHost[host.id]?.isEmpty ?? true { sum.1 += 1 }
        }
    }

    /// Hosts of a pool that a defragmentation would empty next.
    ///
    /// - Parameters:
    ///   - limit: hosts at most.
    ///   - without: hosts that are left alone.
    func fragmented(
        pool: String, rules: DefragmentationRules, limit: Int, looked: Int, without: Set<ID<Document>> = [],
        clock: FleetClock, now: Timestamp
    ) -> (chosen: [DefragmentationPlanner.Candidate], after: PlacementCell) {
        let (count, empty) = fullness(ofPool: pool)
        let open = hosts.values.filter {
            $0.pool == pool && $0.contact == .ready && !$0.cordoned && !$0.draining
                && !without.contains($0.id)
                && byHost[$0.id]?.isEmpty == false
        }
        let drain = DrainSpec(purpose: .defragmentation)
        let terms = DrainTerms(
            drain: drain, rules: pools[pool]?.migrations ?? MigrationRules(), now: now)
        let (hosts, round) = drainInputs(
            open.sorted { $0.id < $1.id }.map { ($0, terms) }, clock: clock, explained: 0, now: now)
        return DefragmentationPlanner.choose(
            from: hosts, on: placement, terms: round, limit: limit,
            wanted: rules.emptyHosts(of: count), empty: empty, looked: looked)
    }

    /// What a defragmentation of a pool would do now, whatever its mode.
    func defragmentationPreview(
        pool: String, looked: Int, clock: FleetClock, now: Timestamp
    ) -> DefragmentationPreview {
        let rules = pools[pool]?.defragmentation ?? DefragmentationRules()
        let (count, empty) = fullness(ofPool: pool)
        let limit = rules.mostDraining(of: count)
        var (chosen, after) = fragmented(
            pool: pool, rules: rules, limit: limit, looked: looked, clock: clock, now: now)
        after.reopen(as: placement)
        let message =
            if empty >= rules.emptyHosts(of: count) { "enough hosts are empty" } else if chosen.isEmpty {
                "no host in use can be emptied onto others in use"
            } else if chosen.count == limit { "\(limit) of \(count) hosts are emptied at once" } else {
                "no other host in use can be emptied onto others in use"
            }
        return DefragmentationPreview(
            pool: pool, mode: rules.mode ?? .off, targetEmptyPerMille: rules.target,
            before: placement.summary(pool: pool), after: after.summary(pool: pool),
            hosts: chosen.map { candidate in
                DefragmentationPreview.Candidate(
                    host: candidate.host.name, benefitMilli: Int(candidate.benefit * 1000),
                    moves: candidate.decision.moves.map { $0.preview(candidate.decision.order) })
            }, message: message)
    }
}

extension DefragmentationRules {
    /// Empty hosts at which a pool of so many has enough.
    func emptyHosts(of hosts: Int) -> Int { (hosts * (target + margin) + 999) / 1000 }
}
