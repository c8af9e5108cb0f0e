internal import Fleet

/// How an agent did on one problem.
public struct SessionGrade: Sendable, Hashable, Codable {
    public var problem: String
    public var template: String
    public var seed: UInt64
    public var agent: String
    public var hasFault: Bool
    public var stages: [StageGrade]
    public var harm: Harm
    public var counts: StepCounts

    public func grade(_ stage: Stage) -> StageGrade? { stages.first { $0.stage == stage } }

    public init(_ trace: SessionTrace, states: [FleetState]) {
        let problem = trace.problem
        self.problem = problem.name
        template = problem.template
        seed = problem.seed
        agent = trace.agent
        hasFault = problem.truth.hasFault
        counts = StepCounts(trace.steps)
        let writes = trace.writes
        harm = Harm(problem, writes: writes, final: states.last ?? FleetState())
        // Sessions without a fault have the same stages, or the second would tell.
        stages = trace.stages.map { stage in
            let solution = trace.solutions[stage]
            var grade =
                switch stage {
                case .detection: StageGrade.detection(solution, hasFault: problem.truth.hasFault)
                case .localisation: StageGrade.localisation(solution, problem.truth)
                case .analysis: StageGrade.analysis(solution, problem.truth)
                case .mitigation:
                    StageGrade.mitigation(
                        problem, isSubmitted: solution != nil, states: states, writes: writes)
                }
            if grade.score > 0, problem.truth.hasFault, let since = trace.effectiveAt {
                let end = stage == .mitigation ? trace.wellSince : trace.submittedAt[stage]
                grade.seconds = end.map { max(0, $0.since(since).inSeconds) }
            }
            return grade
        }
    }
}

/// How an agent spent its steps.
public struct StepCounts: Sendable, Hashable, Codable {
    public var steps: Int
    public var reads: Int
    public var writes: Int
    /// Calls that were not understood.
    public var invalid: Int
    /// Calls that are equal to the one before.
    public var repeated: Int
    /// Bytes of observations.
    public var bytes: Int

    init(_ steps: [SessionStep]) {
        self.steps = steps.count
        reads = steps.count { $0.access == .read }
        writes = steps.count { $0.access == .write }
        invalid = steps.count { $0.access == nil }
        repeated = zip(steps, steps.dropFirst()).count { $0.said == $1.said }
        bytes = steps.reduce(0) { $0 + $1.observedBytes }
    }
}
