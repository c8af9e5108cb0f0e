/// How a share of a scope's vCPUs is backed by cores: 0.25 is four vCPUs per core.
public enum RatePolicy: Sendable, Hashable {
    /// With knowledge of the hour that comes.
    case oracle
    case constant(Double)
    /// The same percentile of the peaks of all scopes, from 0 to 1.
    case commonPercentile(Double)
    /// A percentile of each scope's own peaks.
    case scopePercentile(Double)
    /// The peak of the same hour, the greatest of some days.
    case sameHour(days: Int)
    /// The greatest peak of some hours.
    case recent(hours: Int)
    /// What a linear model of the past predicts, as it is.
    case regression(AsymmetricLoss)
    /// Prototypes and a calibrated margin.
    case protoRate(ProtoRateSettings)
}

extension RatePolicy {
    /// The decided share of each scope in each hour of the test.
    public func shares(of scopes: [ScopePeaks], _ split: RateSplit) -> [[Double]] {
        switch self {
        case .regression(let loss): Self.regression(loss, of: scopes, split)
        case .protoRate(let settings): Self.protoRate(settings, of: scopes, split)
        default: rules(of: scopes, split)
        }
    }

    private func rules(of scopes: [ScopePeaks], _ split: RateSplit) -> [[Double]] {
        let common: Double =
            switch self {
            case .commonPercentile(let q): Percentile.of(scopes.flatMap { $0.peaks[split.history] }, q)
            case .constant(let share): share
            default: 0
            }
        return scopes.map { scope in
            let own: Double =
                if case .scopePercentile(let q) = self {
                    Percentile.of(Array(scope.peaks[split.history]), q)
                } else {
                    common
                }
            return split.test.map { share(of: scope.peaks, hour: $0, fixed: own) }
        }
    }

    private func share(of peaks: [Double], hour: Int, fixed: Double) -> Double {
        switch self {
        case .oracle: peaks[hour]
        case .constant, .commonPercentile, .scopePercentile: fixed
        case .sameHour(let days): (1...max(1, days)).map { peaks[max(0, hour - 24 * $0)] }.max() ?? 1
        case .recent(let hours): peaks[max(0, hour - max(1, hours))..<hour].max() ?? 1
        case .regression, .protoRate: 1
        }
    }

    private static func regression(
        _ loss: AsymmetricLoss, of scopes: [ScopePeaks], _ split: RateSplit
    ) -> [[Double]] {
        let settings = ProtoRateSettings(target: 0.01)
        let model = LinearModel(
            rows: scopes.flatMap { scope in split.fit.map { ScopeFeatures.of(past: scope.peaks[..<$0]) } },
            targets: scopes.flatMap { $0.peaks[split.fit] }, loss: loss, ridge: settings.ridge)
        return scopes.map { scope in
            split.test.map { hour in
                min(max(model.predict(ScopeFeatures.of(past: scope.peaks[..<hour])), settings.leastShare), 1)
            }
        }
    }

    /// Hour by hour, so that each decision sees what came of those before it.
    private static func protoRate(
        _ settings: ProtoRateSettings, of scopes: [ScopePeaks], _ split: RateSplit
    ) -> [[Double]] {
        let model = ProtoRateModel(scopes, split, settings)
        var decider = RateDecider(model, prototypes: scopes.map { model.prototype(of: $0, split) })
        var shares = [[Double]](repeating: [], count: scopes.count)
        for hour in split.test {
            for (index, scope) in scopes.enumerated() {
                let decision = decider.decide(index, past: scope.peaks[..<hour], hour: hour)
                shares[index].append(decision.share)
            }
            decider.observe(scopes.map { $0.peaks[hour] })
        }
        return shares
    }
}
