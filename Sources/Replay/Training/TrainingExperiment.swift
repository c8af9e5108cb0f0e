internal import TrainingScheduling

/// Runs the jobs of a trace under one scheduler after another: `basalt simulate training`.
public struct TrainingExperiment: Sendable {
    /// As given, valid.
    public let options: Options

    /// - Throws: `OptionError` for options that cannot be used.
    public init(options: Options) throws(OptionError) {
        try options.validate()
        self.options = options
    }

    /// - Returns: one result per policy, in the order of the options.
    /// - Throws: `TraceError` for a job whose model or plan was not measured.
    public func run(
        _ workload: TrainingWorkload, _ speeds: MeasuredSpeeds, clock: some Clock<Duration>
    ) throws(TraceError) -> [TrainingResult] {
        var results: [TrainingResult] = []
        for name in options.policies {
            let jobs = try jobs(workload, speeds, name)
            var simulation = TrainingSimulation(
                jobs: jobs, nodes: options.fleet, policy: policy(name), settings: settings(name))
            var timings = options.measuresTime ? DecisionTimings() : nil
            let run = simulation.finish(clock: clock, timings: &timings)
            results.append(
                TrainingResult(name, run, gpus: options.nodes * options.gpusPerNode, timings: timings))
        }
        return results
    }

    /// The jobs as a policy may run them.
    func jobs(
        _ workload: TrainingWorkload, _ speeds: MeasuredSpeeds, _ name: TrainingPolicyName
    ) throws(TraceError) -> [TrainingJob] {
        var random = SplitMix64(seed: options.seed)
        var jobs: [TrainingJob] = []
        for (id, job) in workload.jobs.enumerated() {
            let submitted = try speeds.submitted(
                job, gpusPerNode: options.gpusPerNode, file: workload.file)
            let draw = random.unit()
            let points = (speeds.points[job.model] ?? []).filter { name.freedom.permits($0, submitted) }
            let steps =
                options.work == .steps ? job.steps : max(job.duration, 1e-6) / submitted.secondsPerStep
            jobs.append(
                TrainingJob(
                    id: id, name: job.name,
                    isGuaranteed: options.guaranteedShare.map { draw < $0 } ?? job.isGuaranteed,
                    submitted: submitted, curve: SpeedCurve(points.isEmpty ? [submitted] : points),
                    submittedAt: job.submittedAt, steps: steps))
        }
        return jobs
    }

    private func settings(_ name: TrainingPolicyName) -> TrainingSimulation.Settings {
        TrainingSimulation.Settings(
            restart: options.restartSeconds, roundSeconds: name.looksAtTime ? options.roundSeconds : nil)
    }

    private func policy(_ name: TrainingPolicyName) -> any TrainingPolicy {
        let restart = options.restartSeconds
        switch name {
        case .fifo: return QueuePolicy(.submission, .strict, restart: restart)
        case .fifoBackfill: return QueuePolicy(.submission, .greedy, restart: restart)
        case .easy: return QueuePolicy(.submission, .reserved, restart: restart)
        case .conservative: return ConservativePolicy(restart: restart)
        case .sjf: return QueuePolicy(.shortest, .greedy, restart: restart)
        case .tiresias: return TiresiasPolicy()
        case .synergy: return SynergyPolicy()
        case .sia: return SiaPolicy(restart: restart)
        case .gavel: return GavelPolicy()
        case .antman: return AntManPolicy()
        case .rubick, .rubickE, .rubickN, .rubickR:
            return RubickPolicy(.init(gate: options.gate, restart: restart, aging: options.agingSeconds))
        }
    }
}

extension TrainingPolicyName {
    /// Shapes that a job may take.
    var freedom: ShapeFreedom {
        switch self {
        case .rubick: .any
        case .rubickE: .submittedGPUs
        case .rubickN: .submittedPlan
        case .rubickR, .sia, .antman: .submittedStrategy
        case .fifo, .fifoBackfill, .easy, .conservative, .sjf, .tiresias, .synergy, .gavel: .none
        }
    }

    /// Whether a round without an event can decide anything new.
    var looksAtTime: Bool {
        switch self {
        case .fifo, .fifoBackfill, .easy, .conservative, .sjf, .synergy, .antman: false
        case .tiresias, .sia, .gavel, .rubickN, .rubickE, .rubickR, .rubick: true
        }
    }
}

extension TrainingExperiment {
    /// What is simulated.
    public struct Options: Sendable, Hashable {
        /// What a job has to do.
        public enum Work: String, Sendable, Hashable, CaseIterable {
            /// Its steps, at the measured time of each.
            case steps
            /// Its duration as submitted, whatever its steps.
            case duration
        }

        public var nodes: Int
        public var gpusPerNode: Int
        /// Host threads of a node.
        public var threads: Int
        /// GiB of a node.
        public var memoryGiB: Int
        /// One after another on the same jobs.
        public var policies: [TrainingPolicyName]
        /// Seconds from a new shape to the next step.
        public var restartSeconds: Double
        /// Share of a job's time that changes of shape must leave; 0 lets all through.
        public var gate: Double
        /// Seconds after which a waiting job comes before later ones.
        public var agingSeconds: Double
        /// Seconds between rounds without an event.
        public var roundSeconds: Double
        /// Share of jobs that are guaranteed, drawn by the seed; as in the trace when nil.
        public var guaranteedShare: Double?
        public var work: Work
        public var seed: UInt64
        /// Whether rounds are timed; results then differ from run to run.
        public var measuresTime: Bool

        public init(
            nodes: Int = 8, gpusPerNode: Int = 8, threads: Int = 96, memoryGiB: Int = 1600,
            policies: [TrainingPolicyName], restartSeconds: Double = 78, gate: Double = 0.97,
            agingSeconds: Double = 21_600, roundSeconds: Double = 60, guaranteedShare: Double? = nil,
            work: Work = .steps, seed: UInt64 = 0, measuresTime: Bool = false
        ) {
            self.nodes = nodes
            self.gpusPerNode = gpusPerNode
            self.threads = threads
            self.memoryGiB = memoryGiB
            self.policies = policies
            self.restartSeconds = restartSeconds
            self.gate = gate
            self.agingSeconds = agingSeconds
            self.roundSeconds = roundSeconds
            self.guaranteedShare = guaranteedShare
            self.work = work
            self.seed = seed
            self.measuresTime = measuresTime
        }
    }
}

extension TrainingExperiment.Options {
    private static let nodeLimit = 20_000
    private static let threadLimit = 4096
    private static let memoryLimit = 65_536
    private static let secondLimit = 31_556_952.0

    var fleet: [TrainingNode] {
        (0..<nodes).map { _ in
            TrainingNode(gpus: gpusPerNode, threads: threads, memoryMiB: memoryGiB * 1024)
        }
    }

    func validate() throws(OptionError) {
        try OptionError.check("nodes", nodes, in: 1...Self.nodeLimit)
        // A placement is a digit per node.
        try OptionError.check("gpus-per-node", gpusPerNode, in: 1...9)
        try OptionError.check("cpus", threads, in: 1...Self.threadLimit)
        try OptionError.check("mem", memoryGiB, in: 1...Self.memoryLimit)
        try OptionError.check("restart-cost", restartSeconds, in: 0...Self.secondLimit)
        try OptionError.check("gate", gate, in: 0...0.9999)
        try OptionError.check("aging", agingSeconds, in: 0...Self.secondLimit)
        try OptionError.check("round", roundSeconds, in: 1...Self.secondLimit)
        if let guaranteedShare { try OptionError.check("guaranteed-share", guaranteedShare, in: 0...1) }
        guard !policies.isEmpty else {
            throw OptionError(field: "policy", value: "", expected: "at least one policy", nearest: "rubick")
        }
    }
}
