extension PackingPolicy {
    private static let hoursPerDay = 24

    /// Whether a history is long enough for the policy; those that learn need one of twelve days.
    public func accepts(hours: Int) -> Bool {
        guard case .protoRate = self else { return true }
        return RateSplit(hours: hours).map { $0.test.count >= Self.hoursPerDay } ?? false
    }

    /// What each VM asks of a host.
    ///
    /// - Parameters:
    ///   - cores: of each VM.
    ///   - histories: cores that each used, step by step from the beginning of a day, equally many and enough
    ///     for the policy.
    ///   - stepsPerDay: a multiple of the policy's windows, which are hours for those that learn.
    public func demands(cores: [Double], histories: [[Double]], stepsPerDay: Int) -> [PackingDemand] {
        guard case .protoRate(let settings) = self else {
            return cores.indices.map {
                demand(cores: cores[$0], history: histories[$0], stepsPerDay: stepsPerDay)
            }
        }
        let scopes = cores.indices.map {
            ScopePeaks(
                used: [histories[$0]], cores: [cores[$0]], stepsPerHour: stepsPerDay / Self.hoursPerDay)
        }
        guard let hours = scopes.first?.peaks.count, let split = RateSplit(hours: hours) else {
            return cores.map { PackingDemand(peaks: Array(repeating: $0, count: Self.hoursPerDay)) }
        }
        let model = ProtoRateModel(scopes, split, settings)
        return scopes.map { scope in
            Self.lastDay(of: scope, hours, model, prototype: model.prototype(of: scope, split))
        }
    }

    /// Each hour of the day as it would have been decided on the last day of the history, which the model has
    /// not seen.
    private static func lastDay(
        of scope: ScopePeaks, _ hours: Int, _ model: ProtoRateModel, prototype: Int
    ) -> PackingDemand {
        let peaks = (hours - hoursPerDay..<hours).map { hour in
            let peak = model.peak(after: scope.peaks[..<hour], prototype: prototype, chance: model.aim)
            return min(max(peak, model.settings.leastShare), 1) * scope.cores
        }
        return PackingDemand(peaks: peaks)
    }
}
