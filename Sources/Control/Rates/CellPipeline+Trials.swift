internal import AgentProtocol
internal import Fleet
internal import Logging
internal import Oversubscription
internal import Store

/// What bears on the rise of a ratio, beside the decision itself.
struct RiseCircumstances {
    var trials: [ID<ScopeDecision>: RateTrial] = [:]
    /// When the guard of a host last found it hot, and which hosts' guards are above observing.
    var heats: [ID<Document>: Timestamp] = [:]
    var guarded: Set<ID<Document>> = []
    /// Fleet time up to which use is known.
    var until = Timestamp(microseconds: 0)
}

extension CellPipeline {
    func circumstances() async throws -> RiseCircumstances {
        var found = RiseCircumstances()
        found.trials = Dictionary(
            try await store.trials().map { ($0.decision, $0) }, uniquingKeysWith: { first, _ in first })
        for record in try await store.hostGuards() where model.hosts[record.host] != nil {
            found.heats[record.host] = record.actedAt
            if !record.rung.admits { found.guarded.insert(record.host) }
        }
        found.until = try await store.usageRolledTo() ?? found.until
        return found
    }

    private func hosts(in scope: RateScope) -> [HostRecord] {
        model.hosts.values.filter { host in
            switch scope.level {
            case .cell: true
            case .pool: host.pool == scope.name
            case .host: host.name == scope.name
            }
        }.sorted { $0.name < $1.name }
    }

    /// Whether a ratio may rise, and where first.
    func verdict(
        on decision: ScopeDecision, rules: OversubscriptionRules, _ circumstances: RiseCircumstances,
        clock: FleetClock
    ) async throws -> RatioChange.Verdict {
        let hosts = hosts(in: decision.scope)
        let trial = circumstances.trials[decision.id]
        var (bins, hot) = (0, 0)
        if let trial {
            let scopes = trial.hosts.map { RateScope(.host, $0) }
            let hours = try await store.scopeHours(of: scopes, since: trial.startedAt).values.flatMap(\.self)
            (bins, hot) = (hours.reduce(0) { $0 + $1.bins }, hours.reduce(0) { $0 + $1.hotBins })
        }
        // Whoever approved it has seen why he was asked.
        let isAnswered = decision.answeredBy != nil
        let notes = decision.evidence.notes
        let heat = hosts.compactMap { circumstances.heats[$0.id] }.max().map { clock.time(at: $0) }
        return RatioChange(
            decision: decision.id.description, fromPerMille: decision.priorRatioPerMille,
            toPerMille: decision.ratioPerMille,
            calibration: !isAnswered && notes.contains(.fewResiduals) ? 0 : RatioChange.leastCalibration,
            isDrifting: !isAnswered && notes.contains(.drift),
            latestGuardEvent: heat.map { Int($0.seconds) },
            isGuarded: hosts.contains { circumstances.guarded.contains($0.id) },
            budget: risks.verdicts[decision.scope] ?? .open, hosts: hosts.map(\.name),
            canary: trial.map { Canary(hosts: $0.hosts, startedAt: Int($0.startedAt.seconds)) },
            canaryBins: bins, canaryHotBins: hot, target: rules.risk
        ).verdict(at: Int(circumstances.until.seconds))
    }

    /// Moves approved decisions on: a lower ratio counts at once, a higher one on a few hosts first.
    func applyApproved(
        _ ruled: [RuledScope], _ circumstances: RiseCircumstances, clock: FleetClock
    ) async throws -> Bool {
        let approved = try await store.decisions(DecisionQuery(cell: cell, states: [.approved]))
        var hasWorked = false
        for decision in approved {
            guard let scope = ruled.first(where: { $0.scope == decision.scope }) else {
                let words = EventWords(.ratioRolledBack, "its scope has no policy any more")
                hasWorked = try await store.withdraw(decision.id, event: words, lease: lease) || hasWorked
                continue
            }
            let verdict = try await verdict(
                on: decision, rules: scope.rules, circumstances, clock: clock)
            hasWorked =
                try await follow(verdict, decision, scope.rules, circumstances, clock) || hasWorked
        }
        return hasWorked
    }

    private func follow(
        _ verdict: RatioChange.Verdict, _ decision: ScopeDecision, _ rules: OversubscriptionRules,
        _ circumstances: RiseCircumstances, _ clock: FleetClock
    ) async throws -> Bool {
        let (from, to) = (decision.priorRatioPerMille, decision.ratioPerMille)
        switch verdict {
        case .apply:
            return try await apply(decision, trial: circumstances.trials[decision.id])
        case .awaitCanary:
            return false
        case .startCanary(let names):
            let chosen = Set(names)
            let tried = hosts(in: decision.scope).filter { chosen.contains($0.name) }.map(\.id)
            let all = hosts(in: decision.scope).count
            return try await store.beginTrial(
                of: decision.id, on: tried, startedAt: clock.time(at: time.now()),
                event: EventWords(
                    .ratioRaised,
                    "\(from)/1000 to \(to)/1000 on \(tried.count) of \(all) hosts for \(Canary.hours) h first"
                ), lease: lease)
        case .refuse(let obstacles):
            let isTooSmall = obstacles == [.tooFewHosts]
            if isTooSmall, decision.answeredBy != nil || rules.review == .never {
                return try await apply(decision, trial: nil)
            }
            // What a person approved waits for better times, unless it was tried and failed.
            guard circumstances.trials[decision.id] != nil || decision.answeredBy == nil else { return false }
            let why = obstacles.map(\.rawValue).joined(separator: ", ")
            return try await store.withdraw(
                decision.id,
                event: EventWords(.ratioRolledBack, "\(to)/1000 is taken back, \(from)/1000 stays: \(why)"),
                lease: lease)
        }
    }

    private func apply(_ decision: ScopeDecision, trial: RateTrial?) async throws -> Bool {
        var applied = decision
        applied.state = .applied
        let by = decision.answeredBy.map { "as \($0) approved" }
        let tried = trial.map { "after a day on \($0.hosts.joined(separator: ", "))" }
        let why = [by, tried].compactMap(\.self).joined(separator: ", ")
        return try await write(applied, why: why.isEmpty ? "its scope is too small to try it" : why)
    }
}
