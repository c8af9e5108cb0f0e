internal import Fleet
internal import Oversubscription
internal import VMPlacement

/// Decides the ratios of scopes for the window that begins: a value, the same for the same inputs.
///
/// Scopes with the same target and parameters are learnt from together. One with less than two weeks of
/// history is left as it is; one whose latest hours are missing goes down, a step at a time.
struct RatePlanner {
    /// A scope whose ratio is decided from use.
    struct Subject: Hashable {
        var scope: RateScope
        var policy: PolicyVersion
        var rules: OversubscriptionRules
        /// As it was decided last.
        var rate: ScopeRate
        /// In force now, without what people decided.
        var ratioPerMille: Int
        var profile: ScopeProfile
        /// People's, as far as they are in force.
        var constraints: [ScopeConstraint] = []
    }

    /// What comes of one subject, but for id and cell.
    struct Outcome: Hashable {
        var subject: Subject
        var ratioPerMille: Int
        var asks: [ScopeDecision.Note]
        var evidence: ScopeDecision.Evidence
    }

    /// Two weeks: one to look back on, and one to learn from and to calibrate.
    static let leastHours = 336
    /// Eight weeks: a scope alone then has the residuals that its margin needs; what is older says little.
    static let mostHours = 1344
    /// A profile that ends this many hours before the others is stale.
    static let staleHours = 2

    /// - Parameters:
    ///   - hour: that begins, in hours from 1970 on the fleet clock.
    ///   - lagHours: by which use may come late because the fleet clock runs fast.
    /// - Returns: in the order of scopes; none for those that are left as they are.
    static func decide(_ subjects: [Subject], hour: Int, lagHours: Int = 0) -> [Outcome] {
        let learnt = subjects.filter { subject in
            !subject.constraints.contains { $0.verb == .exclude } && subject.profile.peaks.count >= leastHours
        }
        let (stale, fresh) = (
            learnt.filter { $0.profile.end < hour - staleHours - lagHours },
            learnt.filter { $0.profile.end >= hour - staleHours - lagHours }
        )
        let groups = Dictionary(grouping: fresh) { Group(rules: $0.rules) }
        let decided = groups.values.flatMap { learn($0.sorted { $0.scope < $1.scope }) }
        return (decided + stale.map(fallBack)).sorted { $0.subject.scope < $1.subject.scope }
    }

    /// What is learnt together.
    private struct Group: Hashable {
        var risk: Double
        var parameters: OversubscriptionRules.Parameters?

        init(rules: OversubscriptionRules) {
            risk = rules.risk
            parameters = rules.parameters
        }

        var settings: ProtoRateSettings {
            var settings = ProtoRateSettings(target: risk)
            settings.prototypes = parameters?.prototypes ?? settings.prototypes
            settings.ridge = parameters?.ridge ?? settings.ridge
            return settings
        }
    }

    private static func learn(_ subjects: [Subject]) -> [Outcome] {
        guard let first = subjects.first else { return [] }
        // Shapes of days need days that begin at midnight, and all scopes the same hours.
        let end = subjects.map(\.profile.end).min() ?? 0
        let begin = subjects.map { max($0.profile.firstHour, end - mostHours) }.max() ?? 0
        let from = (begin + 23) / 24 * 24
        guard let split = RateSplit(hours: end - from) else { return [] }
        let scopes = subjects.map { subject in
            let profile = subject.profile
            return ScopePeaks(
                peaks: Array(profile.peaks[(from - profile.firstHour)..<(end - profile.firstHour)]),
                concentration: profile.concentration, cores: Double(profile.milliCPU) / 1000)
        }
        var settings = Group(rules: first.rules).settings
        settings.edits = edits(subjects)
        let model = ProtoRateModel(scopes, split, settings)
        let prototypes = scopes.map { model.prototype(of: $0, split) }
        var decider = RateDecider(model, prototypes: prototypes)
        var hot = [Int](repeating: 0, count: scopes.count)
        var days = scopes.map { _ in LatestDay() }
        // The decider learns from the latest hours how bold it may be, as it would have lived through them.
        for hour in split.test {
            for (index, scope) in scopes.enumerated() {
                days[index].append(decider.decide(index, past: scope.peaks[..<hour], hour: hour))
                if scope.peaks[hour] > days[index].share { hot[index] += 1 }
            }
            decider.observe(scopes.map { $0.peaks[hour] })
        }
        let residuals = scopes.count * split.calibrate.count
        return scopes.indices.map { index in
            let scope = scopes[index]
            let next = decider.decide(index, past: scope.peaks[...], hour: end - from)
            days[index].append(next)
            var notes = next.reasons.compactMap(ScopeDecision.Note.init)
            if residuals < model.settings.leastResiduals { notes.append(.fewResiduals) }
            let members = subjects.indices.filter { prototypes[$0] == prototypes[index] }
            return outcome(
                of: subjects[index], share: days[index].share, notes: notes,
                seen: Seen(
                    peak: days[index].peak, risk: Double(hot[index]) / Double(max(1, split.test.count)),
                    prototype: prototypes[index], members: members.map { subjects[$0].scope },
                    days: DayCurve(members.map { scopes[$0].peaks })))
        }
    }

    /// Answers about shapes hold for all that is learnt together: the shapes of its model are meant.
    private static func edits(_ subjects: [Subject]) -> [PrototypeEdit] {
        subjects.flatMap(\.constraints).sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }.compactMap {
            let shapes = $0.prototypes ?? []
            switch $0.verb {
            case .split where shapes.count == 1: return .split(shapes[0])
            case .merge where shapes.count == 2: return .merge(shapes[0], shapes[1])
            case .split, .merge, .cap, .pin, .exclude, .kill: return nil
            }
        }
    }

    /// What the past says of a scope.
    private struct Seen {
        var peak: Double
        var risk: Double
        var prototype: Int
        var members: [RateScope]
        var days: DayCurve
    }

    private static func outcome(
        of subject: Subject, share: Double, notes: [ScopeDecision.Note], seen: Seen
    ) -> Outcome {
        let (rules, prior) = (subject.rules, subject.ratioPerMille)
        var notes = notes
        let wanted = Int(min(1000 / max(share, 0.001), Double(RatioLimit.perMille.upperBound)))
        let bounded = min(max(wanted, rules.bounds.lowerBound), rules.bounds.upperBound)
        if bounded != wanted { notes.append(.bounds) }
        let stepped = min(max(bounded, prior - rules.stepDown), prior + rules.stepUp)
        if stepped != bounded { notes.append(.step) }
        if subject.constraints.contains(where: { $0.verb.hasRatio || $0.verb == .kill }) {
            notes.append(.constraint)
        }
        let milliCPU = subject.profile.milliCPU
        return Outcome(
            subject: subject, ratioPerMille: stepped,
            asks: stepped > prior ? asks(subject, notes) : [],
            evidence: .init(
                policy: subject.policy, algorithm: rules.algorithm ?? .protoRate, inputsHash: hash(subject),
                predictedPeak: seen.peak, risk: seen.risk,
                benefitMilliCPU: milliCPU - milliCPU * 1000 / stepped, milliCPU: milliCPU, notes: notes,
                prototype: seen.prototype, members: seen.members, typicalDay: seen.days.mean,
                worstDay: seen.days.greatest))
    }

    /// Only what makes a scope bolder is asked for.
    private static func asks(_ subject: Subject, _ notes: [ScopeDecision.Note]) -> [ScopeDecision.Note] {
        guard subject.rules.mode == .managed else { return [] }
        switch subject.rules.review ?? .uncertain {
        case .never: return []
        case .always: return [.always]
        case .uncertain:
            let first: [ScopeDecision.Note] = subject.rate.generation == 0 ? [.first] : []
            return first + notes.filter { [.drift, .fewResiduals, .cold].contains($0) }
        }
    }

    /// What cannot be seen is not trusted: a step down.
    private static func fallBack(_ subject: Subject) -> Outcome {
        let least = subject.rules.bounds.lowerBound
        let ratio = max(least, subject.ratioPerMille - subject.rules.stepDown)
        let milliCPU = subject.profile.milliCPU
        return Outcome(
            subject: subject, ratioPerMille: ratio, asks: [],
            evidence: .init(
                policy: subject.policy, algorithm: subject.rules.algorithm ?? .protoRate,
                inputsHash: hash(subject), predictedPeak: 1, risk: 1,
                benefitMilliCPU: milliCPU - milliCPU * 1000 / ratio, milliCPU: milliCPU, notes: [.stale]))
    }

    private static func hash(_ subject: Subject) -> String {
        var hash = StableHash()
        hash.combine(subject.scope.description)
        hash.combine(subject.policy.name)
        hash.combine(subject.policy.version)
        hash.combine(subject.rate.generation)
        hash.combine(subject.ratioPerMille)
        hash.combine(subject.profile.firstHour)
        hash.combine(subject.profile.milliCPU)
        hash.combine(subject.profile.concentration.bitPattern)
        for peak in subject.profile.peaks { hash.combine(peak.bitPattern) }
        for constraint in subject.constraints { hash.combine(constraint.id.description) }
        return hash.text
    }
}

/// The decisions of the last day. A VM that is admitted at night is there at noon, so that of a day's shares
/// the greatest counts.
private struct LatestDay {
    private var decisions: [RateDecision] = []

    mutating func append(_ decision: RateDecision) {
        decisions.append(decision)
        if decisions.count > 24 { decisions.removeFirst() }
    }

    var share: Double { decisions.map(\.share).max() ?? 1 }
    var peak: Double { decisions.map(\.predictedPeak).max() ?? 1 }
}

/// The hours of a day over many days of several scopes, from midnight.
private struct DayCurve {
    let mean: [Double]
    let greatest: [Double]

    init(_ histories: [[Double]]) {
        var hours = [[Double]](repeating: [], count: 24)
        for peaks in histories {
            for (hour, peak) in peaks.enumerated() { hours[hour % 24].append(peak) }
        }
        mean = hours.map { $0.isEmpty ? 0 : $0.reduce(0, +) / Double($0.count) }
        greatest = hours.map { $0.max() ?? 0 }
    }
}

extension ScopeDecision.Note {
    fileprivate init?(_ reason: RateDecision.Reason) {
        switch reason {
        case .cold: self = .cold
        case .stale: self = .stale
        case .drift: self = .drift
        case .constraint: self = .constraint
        case .slew: self = .step
        }
    }
}
