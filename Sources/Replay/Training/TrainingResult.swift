/// What one scheduler made of the jobs of a trace. Times are seconds, from submission to end.
public struct TrainingResult: Sendable, Hashable {
    public var policy: TrainingPolicyName
    public var meanJct: Double
    public var p99Jct: Double
    /// From the first submission to the last end.
    public var makespan: Double
    /// GPU time that jobs held, starts included, of all until the last end.
    public var gpuUtilPct: Double
    /// Changes of shape after the first start.
    public var reconfigurationsPerJob: Double
    /// Shapes of guaranteed jobs that are slower than submitted.
    public var guaranteeViolations: Int
    /// nil without such jobs.
    public var meanJctGuaranteed: Double?
    public var meanJctBestEffort: Double?
    /// Milliseconds of a round that 99 % are within; nil unless time was measured.
    public var roundP99Ms: Double?
    /// Jobs that never ended, as no shape of theirs fits or they are guaranteed what the cluster has not.
    public var unfinished: Int
    /// For drawings, not part of the encoded form.
    public var run: TrainingRun

    init(_ policy: TrainingPolicyName, _ run: TrainingRun, gpus: Int, timings: DecisionTimings?) {
        self.policy = policy
        self.run = run
        let times = run.outcomes.map(\.completion).sorted()
        meanJct = Self.mean(times) ?? 0
        p99Jct = times.isEmpty ? 0 : times[(times.count * 99 + 99) / 100 - 1]
        makespan = run.end - run.start
        gpuUtilPct = makespan > 0 && gpus > 0 ? 100 * run.gpuSeconds / (Double(gpus) * makespan) : 0
        let restarts = run.outcomes.reduce(0) { $0 + $1.restarts }
        reconfigurationsPerJob = run.outcomes.isEmpty ? 0 : Double(restarts) / Double(run.outcomes.count)
        guaranteeViolations = run.guaranteeViolations
        meanJctGuaranteed = Self.mean(run.outcomes.filter(\.isGuaranteed).map(\.completion))
        meanJctBestEffort = Self.mean(run.outcomes.filter { !$0.isGuaranteed }.map(\.completion))
        roundP99Ms = timings.map { $0.p99Microseconds / 1000 }
        unfinished = run.unfinished.count
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}

extension TrainingResult: Encodable {
    private enum CodingKeys: String, CodingKey {
        case policy, meanJct, p99Jct, makespan, gpuUtilPct, reconfigurationsPerJob, guaranteeViolations
        case meanJctGuaranteed, meanJctBestEffort, roundP99Ms, unfinished
    }

    /// Every key is written, `null` for what there is none of, so that readers see one shape.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(policy, forKey: .policy)
        try container.encode(meanJct, forKey: .meanJct)
        try container.encode(p99Jct, forKey: .p99Jct)
        try container.encode(makespan, forKey: .makespan)
        try container.encode(gpuUtilPct, forKey: .gpuUtilPct)
        try container.encode(reconfigurationsPerJob, forKey: .reconfigurationsPerJob)
        try container.encode(guaranteeViolations, forKey: .guaranteeViolations)
        try container.encode(meanJctGuaranteed, forKey: .meanJctGuaranteed)
        try container.encode(meanJctBestEffort, forKey: .meanJctBestEffort)
        try container.encode(roundP99Ms, forKey: .roundP99Ms)
        try container.encode(unfinished, forKey: .unfinished)
    }
}
