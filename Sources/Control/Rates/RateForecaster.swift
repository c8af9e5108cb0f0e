public import Fleet
internal import Foundation
internal import Oversubscription
public import Store

/// Says what a policy would have made of the last days of a scope, with the planner that decides and the
/// packing that `basalt simulate` runs, on what the store keeps. Nothing is written.
public struct RateForecaster: Sendable {
    /// Days that may be looked back on; the store keeps no more hours of scopes.
    public static let days = 2...56
    /// VMs that are packed, the oldest: packing takes the time of VMs times hosts.
    static let mostVMs = 2000
    private static let hoursPerDay = 24

    private let store: any Store
    private let explainer: RateExplainer

    public init(store: any Store) {
        self.store = store
        explainer = RateExplainer(store: store)
    }

    /// - Parameters:
    ///   - policy: by name, of type oversubscription.
    ///   - rules: in place of a policy; those in force, or managed as they come, when both are nil.
    /// - Throws: `StoreError.notFound`.
    public func whatIf(
        _ scope: RateScope, policy: String?, rules: OversubscriptionRules?, days: Int
    ) async throws -> WhatIfStatement {
        let present = try await explainer.explanation(of: scope)
        let rules = try await self.rules(policy: policy, rules: rules, present)
        var statement = WhatIfStatement(
            scope: scope, cell: present.cell, ratioPerMille: present.effective.ratioPerMille, rules: rules)
        guard let until = try await store.usageRolledTo() else { return statement }
        statement.until = until
        let known = try await StoredScopeUsage(store: store)
            .profiles(of: [scope], cell: present.cell, until: until)[scope]
        guard let profile = known?.latest(hours: days * Self.hoursPerDay) else { return statement }
        statement.hours = profile.peaks.count
        statement.soldMilliCPU = profile.milliCPU
        statement.peakMilliCPU = Int(
            ((profile.peaks.max() ?? 0) * Double(profile.milliCPU)).rounded(.up))
        statement.strandedMilliCPU = max(0, statement.soldMilliCPU - statement.peakMilliCPU)
        statement.proposal = try await proposal(scope, rules, profile, present.effective.ratioPerMille)
        statement.rates = Self.rates(profile, target: rules.risk)
        let packing = try await packing(present, until: until, hours: days * Self.hoursPerDay)
        (statement.vms, statement.hostMilliCPU) = (packing.cores.count, Int(packing.hostCores * 1000))
        statement.packing = packing.points
        return statement
    }

    private func rules(
        policy: String?, rules: OversubscriptionRules?, _ present: RateExplanation
    ) async throws -> OversubscriptionRules {
        if let rules { return rules }
        let name = policy ?? present.effective.policy?.name
        guard let name else { return OversubscriptionRules(mode: .managed) }
        guard let resource = try await store.document(.policy, project: nil, name: name),
            let found = PolicyRecord(resource)?.spec.oversubscription
        else { throw StoreError.notFound(kind: .policy, name: name) }
        return found
    }

    private func proposal(
        _ scope: RateScope, _ rules: OversubscriptionRules, _ profile: ScopeProfile, _ ratio: Int
    ) async throws -> WhatIfStatement.Proposal? {
        var learned = rules
        if !rules.isLearned { learned.mode = .managed }
        let rate = try await store.scopeRates().first { $0.scope == scope } ?? ScopeRate(scope: scope)
        let constraints = try await store.constraints(ended: false).filter { $0.scope == scope }
        let subject = RatePlanner.Subject(
            scope: scope, policy: PolicyVersion(name: "", version: 0), rules: learned, rate: rate,
            ratioPerMille: min(max(ratio, learned.bounds.lowerBound), learned.bounds.upperBound),
            profile: profile, constraints: constraints)
        return RatePlanner.decide([subject], hour: profile.end).first.map { outcome in
            WhatIfStatement.Proposal(
                ratioPerMille: outcome.ratioPerMille, predictedPeak: outcome.evidence.predictedPeak,
                risk: outcome.evidence.risk, benefitMilliCPU: outcome.evidence.benefitMilliCPU,
                notes: outcome.evidence.notes, asks: outcome.asks)
        }
    }

    // MARK: The frontier of ratios

    /// Every rule from the boldest to the most careful, and the learnt one at several targets.
    private static func rates(_ profile: ScopeProfile, target: Double) -> [WhatIfStatement.RatePoint] {
        // Shapes of days need days that begin at midnight.
        let skipped = (hoursPerDay - profile.firstHour % hoursPerDay) % hoursPerDay
        let peaks = Array(profile.peaks.dropFirst(skipped))
        guard let split = RateSplit(hours: peaks.count) else { return [] }
        let scope = ScopePeaks(
            peaks: peaks, concentration: profile.concentration, cores: Double(profile.milliCPU) / 1000)
        let ratios = [1.25, 1.5, 2, 3, 4]
        var rules: [(String, RatePolicy)] = ratios.map { ("static:\(text(1 / $0))", .constant(1 / $0)) }
        rules.append(("recent:7d", .recent(hours: 7 * hoursPerDay)))
        for risk in Set([0.001, 0.01, 0.05, target]).sorted(by: >) {
            rules.append(("proto-rate:\(risk)", .protoRate(ProtoRateSettings(target: risk))))
        }
        return rules.map { name, policy in
            let outcome = RateOutcome(shares: policy.shares(of: [scope], split), scopes: [scope], split)
            return WhatIfStatement.RatePoint(
                policy: name, risk: outcome.risk, severity: outcome.severity, benefit: outcome.benefit)
        }
    }

    private static func text(_ share: Double) -> String {
        String(format: "%.3g", locale: Locale(identifier: "en_US_POSIX"), share)
    }

    // MARK: The frontier of packings

    private func packing(
        _ present: RateExplanation, until: Timestamp, hours: Int
    ) async throws -> WhatIfPacking {
        let hosts = try await store.hosts(.cell(present.cell)).filter { present.scope.holds($0) }
        let live = try await store.allocations(.hosts(hosts.map(\.id)))
        let shared = live.filter {
            $0.workload.kind == .vm && !$0.isGuaranteed && $0.state == .active && $0.resources.milliCPU > 0
        }.sorted { $0.id < $1.id }.prefix(Self.mostVMs)
        let sold = Dictionary(
            shared.map { ($0.workload.uid, Double($0.resources.milliCPU) / 1000) }, uniquingKeysWith: max)
        let end = Int(until.seconds) / 3600
        let since = Timestamp(seconds: Double((end - hours) * 3600))
        let told = try await store.usageHours(vms: sold.keys.sorted(), since: since)
        return WhatIfPacking(
            vms: shared.map(\.workload.uid), sold: sold, told: told, hours: (end - hours)..<end,
            hostCores: hosts.map { Double($0.room.total.milliCPU - $0.room.reserved.milliCPU) / 1000 })
    }
}

extension RateScope {
    /// Whether a host is of the scope.
    func holds(_ host: HostRecord) -> Bool {
        switch level {
        case .cell: host.cell == name
        case .pool: host.pool == name
        case .host: host.name == name
        }
    }
}

extension ScopeProfile {
    /// The last hours of it.
    fileprivate func latest(hours: Int) -> ScopeProfile {
        var latest = self
        latest.peaks = Array(peaks.suffix(hours))
        latest.firstHour = end - latest.peaks.count
        return latest
    }
}
