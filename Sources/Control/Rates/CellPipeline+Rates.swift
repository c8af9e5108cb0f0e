internal import Fleet
internal import Logging
internal import Oversubscription
internal import Store

/// What a pipeline remembers between two looks at the ratios of its cell.
struct RateKeeping {
    var holders: [PolicyHolder] = []
    var lookedAt: Duration?
    /// When hosts were last brought to what is in force, and when time next ends a policy or constraint.
    var followedAt: Duration?
    var nextExpiry: Timestamp?
    /// Fleet time at which scopes are decided again.
    var due: [RateScope: Timestamp] = [:]
    /// Something was written that may have to do with ratios.
    var isOutdated = true
}

extension CellPipeline {
    /// Brings ratios along: what time ended, what people approved, what use says.
    ///
    /// Ratios that follow from policies and people alone are written with them, by the store.
    func rate() async throws -> Bool {
        let (now, uptime) = (time.now(), time.uptime())
        if let lookedAt = rates.lookedAt, uptime - lookedAt < limits.rateEvery { return false }
        let mustRead = rates.isOutdated || rates.lookedAt == nil
        rates.lookedAt = uptime
        if mustRead {
            rates.holders = try await store.policyHolders(cell: cell)
            rates.isOutdated = false
        }
        try await followExpiries(now: now)
        let ruled = ruledScopes()
        guard !ruled.isEmpty else { return false }
        let clock = FleetClock(try await store.clusterState())
        let accounted = try await account(ruled, clock: clock)
        guard ruled.contains(where: { $0.rules.mode != .pinned }) else { return accounted }
        let circumstances = try await circumstances()
        let approved = try await applyApproved(ruled, circumstances, clock: clock)
        return try await decide(ruled, circumstances, clock: clock, fleetNow: clock.time(at: now))
            || approved || accounted
    }

    struct RuledScope {
        var scope: RateScope
        var policy: PolicyVersion
        var rules: OversubscriptionRules
    }

    private func ruledScopes() -> [RuledScope] {
        rates.holders.compactMap { holder in
            guard let record = model.policies[holder.policy], let rules = record.spec.oversubscription else {
                return nil
            }
            return RuledScope(scope: holder.scope, policy: record.version, rules: rules)
        }
    }

    /// Time ends policies and constraints; and now and then all is looked at, as a host that joined beside a
    /// change of its policy may have missed it.
    private func followExpiries(now: Timestamp) async throws {
        let ends =
            rates.holders.compactMap { model.policies[$0.policy]?.spec.oversubscription?.expiresAt }
            + (try await store.constraints(ended: false)).compactMap(\.expiresAt)
        let hasEnded = rates.nextExpiry.map { $0 <= now } ?? false
        let isLongAgo = rates.followedAt.map { time.uptime() - $0 >= limits.followRatesEvery } ?? true
        if hasEnded || isLongAgo {
            try await store.followRates(lease: lease)
            rates.followedAt = time.uptime()
        }
        rates.nextExpiry = ends.filter { $0 > now }.min()
    }

    private func decide(
        _ ruled: [RuledScope], _ circumstances: RiseCircumstances, clock: FleetClock, fleetNow: Timestamp
    ) async throws -> Bool {
        let due = ruled.filter {
            rates.due[$0.scope].map { $0 <= fleetNow } ?? true && $0.rules.mode != .pinned
        }
        guard !due.isEmpty else { return false }
        let known = Dictionary(
            try await store.scopeRates().map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        let constraints = Dictionary(grouping: try await store.constraints(ended: false), by: \.scope)
        var hasWorked = false
        for scope in due where scope.rules.mode == .initial {
            hasWorked = try await begin(scope, known[scope.scope], fleetNow) || hasWorked
        }
        let learned = due.filter(\.rules.isLearned)
        guard !learned.isEmpty else { return hasWorked }
        var open: [RuledScope] = []
        var latest: [RateScope: ScopeDecision] = [:]
        for scope in learned {
            let last = try await store.decisions(DecisionQuery(scope: scope.scope, limit: 1)).first
            latest[scope.scope] = last
            if isOver(last, scope, fleetNow) { open.append(scope) }
        }
        let profiles = try await usage.profiles(of: open.map(\.scope), cell: cell, until: fleetNow)
        let subjects = open.compactMap { scope in
            profiles[scope.scope].map { profile in
                let rate = known[scope.scope] ?? ScopeRate(scope: scope.scope)
                return RatePlanner.Subject(
                    scope: scope.scope, policy: scope.policy, rules: scope.rules, rate: rate,
                    ratioPerMille: ratio(of: scope.rules, rate), profile: profile,
                    constraints: constraints[scope.scope] ?? [])
            }
        }
        let hour = Int(fleetNow.microseconds / 3_600_000_000)
        let lag = Int(clock.fleetSeconds(ahead: limits.usageLag) / 3600)
        var begins = false
        for outcome in RatePlanner.decide(subjects, hour: hour, lagHours: lag) {
            let next = try await risen(decision(outcome, fleetNow), outcome, circumstances, clock)
            guard !stands(latest[outcome.subject.scope], next) else { continue }
            hasWorked = try await write(next, why: sentence(outcome)) || hasWorked
            begins = begins || next.state == .approved
        }
        guard begins else { return hasWorked }
        return try await applyApproved(ruled, circumstances, clock: clock) || hasWorked
    }

    /// Whether the last word about a scope makes the next one needless: a question that stands is not asked
    /// anew, nor is it said again what holds a ratio back, and who tries a ratio goes on with it unless it is
    /// to fall.
    private func stands(_ last: ScopeDecision?, _ next: ScopeDecision) -> Bool {
        guard let last, !next.isShadow, last.generation == next.generation else { return false }
        if last.state == .approved { return next.ratioPerMille >= next.priorRatioPerMille }
        return last.state == .proposed && next.state == .proposed && !last.isShadow
            && last.ratioPerMille == next.ratioPerMille && last.asks == next.asks
            && (!next.asks.isEmpty || last.evidence.notes == next.evidence.notes)
    }

    /// A ratio that would rise by itself is tried first, or is told with what stands in its way. Nobody is
    /// asked for what could not be done.
    private func risen(
        _ decision: ScopeDecision, _ outcome: RatePlanner.Outcome, _ circumstances: RiseCircumstances,
        _ clock: FleetClock
    ) async throws -> ScopeDecision {
        let rules = outcome.subject.rules
        guard !decision.isShadow, decision.ratioPerMille > decision.priorRatioPerMille else {
            return decision
        }
        var next = decision
        if decision.asks.isEmpty { next.state = .approved }
        guard
            case .refuse(let obstacles) = try await verdict(
                on: decision, rules: rules, circumstances, clock: clock)
        else { return next }
        if !decision.asks.isEmpty {
            // The others are what is asked about.
            guard obstacles.contains(where: { $0 == .budget || $0 == .guardEvent }) else { return next }
            next.asks = []
        } else if obstacles == [.tooFewHosts] {
            if rules.review == .never { return next }
            next.asks = [.fewHosts]
        }
        next.state = .proposed
        next.evidence.notes += obstacles.compactMap(ScopeDecision.Note.init).filter {
            !decision.evidence.notes.contains($0)
        }
        return next
    }

    /// A ratio stands for its window, whoever decided it.
    private func isOver(_ last: ScopeDecision?, _ scope: RuledScope, _ fleetNow: Timestamp) -> Bool {
        let end = last.map {
            $0.windowStart.advanced(by: .seconds(max($0.windowSeconds, scope.rules.window)))
        }
        guard let end, end > fleetNow else {
            rates.due[scope.scope] = fleetNow.advanced(by: .seconds(Self.hour))
            return true
        }
        rates.due[scope.scope] = end
        return false
    }

    /// Without use, or while somebody is asked, a scope is looked at again after an hour of fleet time.
    private static let hour = 3600

    private func ratio(of rules: OversubscriptionRules, _ rate: ScopeRate) -> Int {
        min(
            max(rate.ratioPerMille ?? rules.ratioPerMille ?? 1000, rules.bounds.lowerBound),
            rules.bounds.upperBound)
    }

    /// The ratio with which a scope begins is its first decision: from then on the policy moves it no more.
    private func begin(_ scope: RuledScope, _ rate: ScopeRate?, _ fleetNow: Timestamp) async throws -> Bool {
        rates.due[scope.scope] = fleetNow.advanced(by: .seconds(Self.hour))
        guard (rate?.generation ?? 0) == 0, let ratio = scope.rules.ratioPerMille else { return false }
        let evidence = ScopeDecision.Evidence(
            policy: scope.policy, algorithm: scope.rules.algorithm ?? .protoRate, inputsHash: "",
            predictedPeak: 1, risk: 0, benefitMilliCPU: 0, milliCPU: 0, notes: [.first])
        return try await write(
            ScopeDecision(
                id: ID(ids.next()), cell: cell, scope: scope.scope, state: .applied, windowStart: fleetNow,
                windowSeconds: scope.rules.window, generation: 0, ratioPerMille: ratio,
                priorRatioPerMille: 1000, evidence: evidence, createdAt: time.now()),
            why: "policy \(scope.policy.name) begins with it")
    }

    private func decision(_ outcome: RatePlanner.Outcome, _ fleetNow: Timestamp) -> ScopeDecision {
        let subject = outcome.subject
        let isShadow = subject.rules.mode == .shadow
        return ScopeDecision(
            id: ID(ids.next()), cell: cell, scope: subject.scope,
            state: isShadow || !outcome.asks.isEmpty ? .proposed : .applied, windowStart: fleetNow,
            windowSeconds: subject.rules.window, generation: subject.rate.generation,
            ratioPerMille: outcome.ratioPerMille, priorRatioPerMille: subject.ratioPerMille,
            isShadow: isShadow, evidence: outcome.evidence, asks: outcome.asks, createdAt: time.now())
    }

    private func sentence(_ outcome: RatePlanner.Outcome) -> String {
        let notes = outcome.evidence.notes.map(\.rawValue).joined(separator: ", ")
        let peak = Int((outcome.evidence.predictedPeak * 100).rounded())
        return "\(peak) % of the vCPUs at most\(notes.isEmpty ? "" : " (\(notes))")"
    }

    /// One event per change of a ratio and per question; a window that changes nothing is recorded only.
    func write(_ decision: ScopeDecision, why: String) async throws -> Bool {
        let reason: Reason? =
            if decision.isShadow || decision.state == .approved {
                nil
            } else if decision.state == .proposed {
                decision.isCard ? .ratioProposed : .ratioHeld
            } else if decision.ratioPerMille == decision.priorRatioPerMille {
                nil
            } else {
                decision.ratioPerMille > decision.priorRatioPerMille ? .ratioRaised : .ratioLowered
            }
        let change = RateChange(
            decision: decision, reason: reason,
            message: "\(decision.priorRatioPerMille)/1000 to \(decision.ratioPerMille)/1000: \(why)")
        let isWritten = try await store.decide(change, lease: lease)
        if !isWritten {
            logger.debug("decision came too late", metadata: ["scope": "\(decision.scope)"])
        }
        return isWritten
    }
}

extension ScopeDecision.Note {
    fileprivate init?(_ obstacle: RatioChange.Obstacle) {
        switch obstacle {
        case .calibration: self = .fewResiduals
        case .drift: self = .drift
        case .guardEvent: self = .guarded
        case .budget: self = .budget
        case .tooFewHosts: self = .fewHosts
        case .canary: return nil
        }
    }
}
