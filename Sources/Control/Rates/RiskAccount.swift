internal import Fleet
internal import Oversubscription
internal import Store

/// What became of a scope under its decisions: a value, made anew of the hours that the store keeps.
struct RiskAccount {
    /// A decision, and the fleet time in which its ratio was in force.
    struct Span {
        var decision: ScopeDecision
        var range: Range<Int>
    }

    /// Ascending.
    let spans: [Span]
    /// Ascending.
    let hours: [ScopeHour]

    /// - Parameters:
    ///   - decisions: of the scope, whatever became of them.
    ///   - generation: of the scope's ratio; a decision of every one before it was applied.
    ///   - fleetTime: of a time of the ledger.
    init(
        hours: [ScopeHour], decisions: [ScopeDecision], generation: Int,
        fleetTime: (Timestamp) -> Timestamp
    ) {
        self.hours = hours
        // Of the decisions on one version the last is the one that was applied: it ended the version.
        let applied = Dictionary(
            grouping: decisions.filter { $0.generation < generation && !$0.isShadow }, by: \.generation
        ).compactMapValues { rivals in
            rivals.max { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        }
        var from: Int?
        spans = applied.sorted { $0.key < $1.key }.map { _, decision in
            let begin = from ?? Int(decision.windowStart.seconds)
            let end = decision.closedAt.map { Int(fleetTime($0).seconds) }
            from = end ?? begin
            return Span(decision: decision, range: begin..<max(begin, end ?? .max))
        }
    }

    private func decision(at second: Int) -> ScopeDecision? {
        spans.last { $0.range.contains(second) }?.decision
    }

    private func hours(in range: Range<Int>) -> [ScopeHour] { hours.filter { range.contains($0.start) } }

    /// - Parameter otherwise: ratio in force before anything was decided.
    func days(otherwise: Int) -> [RiskDay] {
        var ledger = RiskLedger()
        for hour in hours where hour.bins > 0 {
            let decision = decision(at: hour.start)
            let ratio = decision?.ratioPerMille ?? otherwise
            let (sold, saved) = (Double(hour.soldMilliCPU) / 1000, Double(hour.savedMilliCPU) / 1000)
            let bins = Double(hour.bins)
            for (isHot, times) in [(true, hour.hotBins), (false, hour.bins - hour.hotBins)] where times > 0 {
                ledger.add(
                    RiskLedger.Bin(
                        start: hour.start, isHot: isHot, predictedRisk: decision?.evidence.risk ?? 0,
                        soldCores: sold / bins, share: 1000 / Double(max(1000, ratio)),
                        sharedCores: (sold - saved) / bins), times: times, binsPerDay: 24)
            }
        }
        return ledger.days.map(RiskDay.init)
    }

    /// Ratios that were in force, and how hot they were, in the order of time.
    var records: [RatioRecord] {
        spans.map { span in
            let lived = hours(in: span.range)
            return RatioRecord(
                id: span.decision.id.description, ratioPerMille: span.decision.ratioPerMille,
                bins: lived.reduce(0) { $0 + $1.bins }, hotBins: lived.reduce(0) { $0 + $1.hotBins })
        }
    }

    /// What came of decisions whose window is over and of which that is not known yet.
    ///
    /// - Parameter now: fleet time up to which hours are known.
    func outcomes(until now: Int) -> [ID<ScopeDecision>: ScopeDecision.Realized] {
        var found: [ID<ScopeDecision>: ScopeDecision.Realized] = [:]
        for span in spans where span.decision.realized == nil {
            let begin = span.range.lowerBound
            let window = begin..<(begin + max(3600, span.decision.windowSeconds))
            let known = hours(in: window)
            let peaks = known.compactMap(\.peak)
            guard window.upperBound <= now, let peak = peaks.max() else { continue }
            let allowed = 1000 / Double(max(1000, span.decision.ratioPerMille))
            found[span.decision.id] = ScopeDecision.Realized(
                peak: peak, hot: Double(peaks.count { $0 > allowed }) / Double(peaks.count),
                savedMilliCPU: known.reduce(0) { $0 + $1.savedMilliCPU } / known.count)
        }
        return found
    }
}

extension RiskDay {
    init(_ day: ScopeDay) {
        self.init(
            day: day.day, bins: day.bins, hotBins: day.hotBins, predictedRisk: day.predictedRisk,
            nominalMilliCPU: Int((day.nominalCores * 1000).rounded()),
            realizedMilliCPU: Int((day.realisedCores * 1000).rounded()))
    }
}

extension ScopeDay {
    init(_ day: RiskDay) {
        self.init(
            day: day.day, bins: day.bins, hotBins: day.hotBins, predictedRisk: day.predictedRisk,
            nominalCores: Double(day.nominalMilliCPU) / 1000,
            realisedCores: Double(day.realizedMilliCPU) / 1000)
    }
}

extension RiskStatement.State {
    init(_ verdict: ErrorBudget.Verdict) {
        switch verdict {
        case .open: self = .open
        case .frozen: self = .frozen
        case .rollback: self = .rollback
        }
    }
}
