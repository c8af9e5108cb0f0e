import Fleet
import Store

/// Calls about ratios and peaks.
extension History {
    private static let policies = ["o0", "o1"]

    mutating func rateCall(seeing store: any Store) async throws -> Operation {
        let cell = once(in: 8) ? "b" : "a"
        let token = try await store.leases().first { $0.lease.cell == cell }?.lease.token ?? 1
        let lease = CellLease(cell: cell, token: token)
        switch number(0..<15) {
        case 0, 1: return rules()
        case 2, 3, 4: return attach(try await store.all(.policy).map(\.metadata.name))
        case 5, 6: return peaks(try await store.allocations(.live), lease)
        case 7, 8, 14: return constrain(now: try await store.now())
        case 9: return unconstrain(try await store.constraints(ended: true))
        case 10, 11, 12: return decide(try await store.scopeRates(), lease)
        default: return try await answer(seeing: store, lease)
        }
    }

    private mutating func scope() -> RateScope {
        switch number(0..<4) {
        case 0: RateScope(.cell, name(of: Self.cells))
        case 1: RateScope(.host, name(of: Self.hosts))
        default: RateScope(.pool, name(of: Self.pools))
        }
    }

    /// Creates or changes a policy.
    private mutating func rules() -> Operation {
        let mode = pick(OversubscriptionRules.Mode.allCases) ?? .pinned
        let rules = OversubscriptionRules(
            mode: mode, ratioPerMille: pick([1000, 1500, 2500]),
            ratioMinPerMille: pick([nil, 1200] as [Int?]) ?? nil,
            ratioMaxPerMille: pick([nil, 3000] as [Int?]) ?? nil,
            maxUtilizationPerMille: pick([nil, 500, 1000] as [Int?]) ?? nil,
            expiresAt: once(in: 4) ? Scene.start.advanced(by: .seconds(number(0..<300))) : nil)
        let name = name(of: Self.policies)
        let id: ID<Document> = ids.id()
        return Operation("rules \(name) \(rules)") { harness in
            let spec = try DocumentJSON.encode(PolicySpec(type: .oversubscription, oversubscription: rules))
            let store = harness.store
            guard try await store.document(.policy, project: nil, name: name) != nil else {
                let draft = DocumentDraft(uid: id, kind: .policy, name: name, spec: spec)
                let made = try await store.create([draft], context: Self.context("create"))
                return made.map { CanonicalDump.line(of: $0) }.joined()
            }
            let changed = try await store.update(
                .policy, project: nil, name: name, precondition: .none, context: Self.context("update")
            ) { $0.spec = spec }
            return CanonicalDump.line(of: changed)
        }
    }

    /// Lets a scope name a policy, or none.
    private mutating func attach(_ known: [String]) -> Operation {
        let any = once(in: 4) ? name(of: Self.policies) : pick(known)
        let (scope, policy) = (scope(), once(in: 4) ? nil : any)
        return Operation("attach \(scope) \(policy ?? "-")") { harness in
            let changed = try await harness.store.update(
                scope.level.kind, project: nil, name: scope.name, precondition: .none,
                context: Self.context("update")
            ) { resource in
                guard case .object(var members) = try JSONContent(resource.spec) else { return }
                members["policies"] = policy.map { .object(["oversubscription": .string($0)]) }
                resource.spec = JSONContent.object(members).canonical
            }
            return CanonicalDump.line(of: changed)
        }
    }

    private mutating func peaks(_ live: [Allocation], _ lease: CellLease) -> Operation {
        var peaks: [ID<Allocation>: Int?] = [ids.id(): 5]
        for _ in 0..<3 {
            guard let id = pick(live)?.id ?? pick(allocations) else { continue }
            peaks[id] = .some(pick([nil, 0, 300, 900, 9000] as [Int?]) ?? nil)
        }
        let told = peaks
        return Operation("recordPeaks \(told)") { harness in
            "\(try await harness.store.recordPeaks(told, lease: lease))"
        }
    }

    private mutating func constrain(now: Timestamp) -> Operation {
        let verb = pick([ScopeConstraint.Verb.cap, .cap, .pin, .exclude, .kill]) ?? .cap
        let constraint = ScopeConstraint(
            id: ids.id(), scope: scope(), verb: verb,
            ratioPerMille: verb.hasRatio ? pick([1100, 1400, 4000]) : nil, author: "", reason: "r",
            createdAt: now, expiresAt: once(in: 2) ? now.advanced(by: .seconds(number(1..<40))) : nil)
        return Operation("constrain \(verb) \(constraint.scope)") { harness in
            "\(try await harness.store.constrain(constraint, context: Self.context("r"), isTrial: false))"
        }
    }

    private mutating func unconstrain(_ known: [ScopeConstraint]) -> Operation {
        let id = pick(known)?.id ?? ids.id()
        return Operation("unconstrain \(id)") { harness in
            try await harness.store.unconstrain(id, reason: "r", context: Self.context("r"), isTrial: false)
            return ""
        }
    }

    private mutating func decide(_ rates: [ScopeRate], _ lease: CellLease) -> Operation {
        let scope = scope()
        let known = rates.first { $0.scope == scope }?.generation ?? 0
        let decision = ScopeDecision(
            id: ids.id(), cell: lease.cell, scope: scope, state: once(in: 3) ? .proposed : .applied,
            windowStart: Scene.start, windowSeconds: 3600, generation: once(in: 5) ? known + 1 : known,
            ratioPerMille: 1000 + number(0..<20) * 100, priorRatioPerMille: 1000,
            evidence: .init(
                policy: PolicyVersion(name: "o0", version: 1), algorithm: .protoRate, inputsHash: "h",
                predictedPeak: 0.5, risk: 0.25, benefitMilliCPU: 1, milliCPU: 2), asks: [.first],
            createdAt: Scene.start)
        let change = RateChange(
            decision: decision, before: once(in: 4) ? .rolledBack : .superseded,
            reason: once(in: 3) ? nil : .ratioRaised)
        return Operation("decide \(scope) \(decision.state) \(decision.generation)") { harness in
            "\(try await harness.store.decide(change, lease: lease))"
        }
    }

    /// Approves, applies what was approved, or lets time end what it ends.
    private mutating func answer(seeing store: any Store, _ lease: CellLease) async throws -> Operation {
        let known = try await store.decisions(DecisionQuery(limit: 20))
        guard let decision = pick(known), once(in: 2) else {
            return Operation("followRates \(lease)") { harness in
                try await harness.store.followRates(lease: lease)
                return ""
            }
        }
        guard decision.state == .approved else {
            return Operation("approve \(decision.id)") { harness in
                let approved = try await harness.store.approve(
                    decision.id, reason: "r", context: Self.context("approve"), isTrial: false)
                return "\(approved)"
            }
        }
        var applied = decision
        applied.state = .applied
        let change = RateChange(decision: applied, reason: .ratioRaised)
        return Operation("decide \(decision.id) again") { harness in
            "\(try await harness.store.decide(change, lease: lease))"
        }
    }
}
