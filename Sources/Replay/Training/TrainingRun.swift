public import TrainingScheduling

/// What became of every job under one policy.
public struct TrainingRun: Sendable, Hashable {
    public struct Outcome: Sendable, Hashable {
        public var job: Int
        public var isGuaranteed: Bool
        public var submittedAt: Double
        public var startedAt: Double
        public var endedAt: Double
        /// Changes of shape after the first start.
        public var restarts: Int

        init(_ state: JobState, endedAt: Double) {
            job = state.job.id
            isGuaranteed = state.job.isGuaranteed
            submittedAt = state.job.submittedAt
            startedAt = state.firstStart ?? endedAt
            self.endedAt = endedAt
            restarts = state.restarts
        }

        /// Seconds from submission to end.
        public var completion: Double { endedAt - submittedAt }
    }

    /// A job in one shape, for drawings.
    public struct Span: Sendable, Hashable {
        public var job: Int
        public var from: Double
        public var to: Double
        public var gpus: Int
        public var plan: String
        public var cause: ShapeChange.Cause
    }

    public internal(set) var start = 0.0
    public internal(set) var end = 0.0
    /// In the order of their ends.
    public internal(set) var outcomes: [Outcome] = []
    public internal(set) var spans: [Span] = []
    /// GPU-seconds that were held.
    public internal(set) var gpuSeconds = 0.0
    /// Shapes of guaranteed jobs that are slower than submitted.
    public internal(set) var guaranteeViolations = 0
    public internal(set) var evictions = 0
    /// Jobs that never ended.
    public internal(set) var unfinished: [Int] = []
    private var open: [Int: Int] = [:]

    mutating func open(_ job: Int, _ grant: Grant, _ cause: ShapeChange.Cause, at time: Double) {
        open[job] = spans.count
        spans.append(
            Span(job: job, from: time, to: time, gpus: grant.gpus, plan: grant.point.plan, cause: cause))
    }

    mutating func close(_ state: JobState, at time: Double) {
        guard let index = open.removeValue(forKey: state.job.id) else { return }
        spans[index].to = time
    }

    mutating func judge(_ job: TrainingJob, _ grant: Grant) {
        guard job.isGuaranteed else { return }
        // A millionth is rounding.
        if grant.point.secondsPerStep > job.submitted.secondsPerStep * 1.000001 { guaranteeViolations += 1 }
    }
}
