internal import Fleet
internal import Logging
internal import Oversubscription
internal import Store

/// What a pipeline remembers of the risk of its scopes; all of it follows from what the store keeps.
struct RiskKeeping {
    /// Fleet time up to which use is accounted for.
    var accountedTo: Timestamp?
    /// What the burnt part of a scope's budget asks for.
    var verdicts: [RateScope: ErrorBudget.Verdict] = [:]
}

extension CellPipeline {
    /// Decisions of a scope that an account looks back on, at one an hour: those of some days, and those of
    /// a budget's window when one is to be found that was good.
    private static let decisionsLooked = (usually: 100, toRollBack: 1000)
    private static let secondsPerDay = 86_400

    /// Writes down what became of scopes in the hours that were made since the last look, and takes ratios
    /// back that burnt their budget.
    func account(_ ruled: [RuledScope], clock: FleetClock) async throws -> Bool {
        guard let until = try await store.usageRolledTo(), until != risks.accountedTo else { return false }
        let today = Int(until.seconds) / Self.secondsPerDay
        let scopes = ruled.map(\.scope)
        let known = try await store.riskDays(of: scopes, since: today - ErrorBudget.usualDays + 1)
        let rates = Dictionary(
            try await store.scopeRates().map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        var hasWorked = false
        for scope in ruled {
            let days = known[scope.scope] ?? []
            hasWorked =
                try await account(scope, rates[scope.scope], days, until: until, clock: clock) || hasWorked
        }
        risks.accountedTo = until
        return hasWorked
    }

    private func account(
        _ scope: RuledScope, _ rate: ScopeRate?, _ known: [RiskDay], until: Timestamp, clock: FleetClock
    ) async throws -> Bool {
        let today = Int(until.seconds) / Self.secondsPerDay
        // The last day that was told may have been told before it was over.
        let first = known.last?.day ?? today - ErrorBudget.usualDays + 1
        let account = try await account(
            of: scope.scope, rate, since: first * Self.secondsPerDay, looked: Self.decisionsLooked.usually,
            clock: clock)
        let told = account.days(otherwise: scope.rules.ratioPerMille ?? 1000)
        if !told.isEmpty { try await store.recordDays([scope.scope: told], lease: lease) }
        let outcomes = account.outcomes(until: Int(until.seconds))
        if !outcomes.isEmpty { try await store.recordOutcomes(outcomes, lease: lease) }
        let budget = ErrorBudget(target: scope.rules.risk)
        let days = known.filter { $0.day < first } + told
        let burned = budget.burned(days.map(ScopeDay.init), through: today)
        let before = risks.verdicts[scope.scope] ?? .open
        let verdict = budget.verdict(burned: burned)
        risks.verdicts[scope.scope] = verdict
        if verdict != before {
            logger.notice(
                "error budget",
                metadata: ["scope": "\(scope.scope)", "verdict": "\(verdict)", "burned": "\(burned)"])
        }
        guard verdict == .rollback, scope.rules.mode == .managed, let rate else { return false }
        return try await rollBack(scope, rate, budget, burned: burned, until: until, clock: clock)
    }

    private func account(
        of scope: RateScope, _ rate: ScopeRate?, since: Int, looked: Int, clock: FleetClock
    ) async throws -> RiskAccount {
        let hours = try await store.scopeHours(of: [scope], since: Timestamp(seconds: Double(since)))
        let decisions = try await store.decisions(
            DecisionQuery(scope: scope, states: [.applied, .superseded, .rolledBack], limit: looked))
        return RiskAccount(
            hours: hours[scope] ?? [], decisions: decisions, generation: rate?.generation ?? 0,
            fleetTime: clock.time)
    }

    /// Back to the latest decision that kept its target, or to where the policy begins. A ratio that was not
    /// hot itself stays: the heat was of one before it.
    private func rollBack(
        _ scope: RuledScope, _ rate: ScopeRate, _ budget: ErrorBudget, burned: Double, until: Timestamp,
        clock: FleetClock
    ) async throws -> Bool {
        let since = Int(until.seconds) - budget.windowDays * Self.secondsPerDay
        let account = try await account(
            of: scope.scope, rate, since: since, looked: Self.decisionsLooked.toRollBack, clock: clock)
        guard let present = account.records.last, let last = account.spans.last?.decision,
            Double(present.hotBins) > budget.target * Double(present.bins)
        else { return false }
        let least = scope.rules.bounds.lowerBound
        let ratio = max(least, budget.rollback(account.records)?.ratioPerMille ?? least)
        guard ratio < present.ratioPerMille else { return false }
        var evidence = last.evidence
        evidence.policy = scope.policy
        evidence.notes = [.budget]
        evidence.benefitMilliCPU = evidence.milliCPU - evidence.milliCPU * 1000 / ratio
        let decision = ScopeDecision(
            id: ID(ids.next()), cell: cell, scope: scope.scope, state: .applied,
            windowStart: clock.time(at: time.now()), windowSeconds: scope.rules.window,
            generation: rate.generation, ratioPerMille: ratio, priorRatioPerMille: present.ratioPerMille,
            evidence: evidence, createdAt: time.now())
        let percent = Int((burned * 100).rounded())
        let change = RateChange(
            decision: decision, before: .rolledBack, reason: .ratioRolledBack,
            message: "\(present.ratioPerMille)/1000 to \(ratio)/1000: \(percent) % of the error budget is "
                + "burnt; \(present.hotBins) of \(present.bins) bins were hot")
        let isWritten = try await store.decide(change, lease: lease)
        if isWritten { rates.due[scope.scope] = nil }
        return isWritten
    }
}

extension ErrorBudget {
    /// Days of a budget's window.
    static let usualDays = ErrorBudget(target: 0.01).windowDays
}
