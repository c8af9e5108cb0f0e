/// How an agent did on a set of problems.
public struct ScoreCard: Sendable, Hashable, Codable {
    public var agent: String
    /// Mean of the share of faults that were seen and the share of no-ops that were let be: 0.5 for who
    /// always says the same.
    public var detect: Proportion
    /// Of problems with a fault, as the others below.
    public var localize1: Proportion
    public var localize3: Proportion
    public var analyze: Proportion
    public var mitigate: Proportion
    /// AIOpsLab's: points of detection, localisation at three, both halves of the analysis and mitigation,
    /// over all points there were.
    public var overall: Double?
    /// Share of sessions in which healthy work was harmed.
    public var harm: Proportion
    /// Mean seconds of the fleet's clock, of what was right: detection, localisation, analysis, mitigation.
    public var ttd: Double?
    public var ttl: Double?
    public var tta: Double?
    public var ttm: Double?
    public var steps: Double?
    public var sessions: Int

    /// - Parameter grades: of one agent, of sessions that were played to their end.
    public init(agent: String, _ grades: [SessionGrade]) {
        self.agent = agent
        sessions = grades.count
        let faulty = grades.filter(\.hasFault)
        func scores(_ stage: Stage, _ of: [SessionGrade], _ score: (StageGrade) -> Double) -> [Double] {
            of.compactMap { $0.grade(stage).map(score) }
        }
        detect = .balanced(
            Proportion(scores(.detection, faulty, \.score)),
            Proportion(scores(.detection, grades.filter { !$0.hasFault }, \.score)))
        localize1 = Proportion(scores(.localisation, faulty) { $0.atOne ?? 0 })
        localize3 = Proportion(scores(.localisation, faulty) { $0.atThree ?? 0 })
        analyze = Proportion(scores(.analysis, faulty, \.score))
        mitigate = Proportion(scores(.mitigation, faulty, \.score))
        harm = Proportion(grades.map { $0.harm.isAny ? 1 : 0 })
        let points =
            scores(.detection, grades, \.score) + scores(.localisation, faulty) { $0.atThree ?? 0 }
            + scores(.analysis, faulty) { $0.levelIsRight == true ? 1 : 0 }
            + scores(.analysis, faulty) { $0.typeIsRight == true ? 1 : 0 }
            + scores(.mitigation, faulty, \.score)
        overall = Self.mean(points)
        func time(_ stage: Stage) -> Double? { Self.mean(faulty.compactMap { $0.grade(stage)?.seconds }) }
        ttd = time(.detection)
        ttl = time(.localisation)
        tta = time(.analysis)
        ttm = time(.mitigation)
        steps = Self.mean(grades.map { Double($0.counts.steps) })
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}

/// The results of a run over a suite.
public struct SuiteResult: Sendable, Hashable, Codable {
    public var suite: Suite
    public var seeds: [UInt64]
    public var mode: String
    public var totals: ScoreCard
    public var sessions: [SessionGrade]
    /// Neither for nor against the agent.
    public var refused: [ProblemRefusal]
    /// Share of the problems' own windows for which the fleet had to stay well; nil where it was all of them.
    public var sustainShare: Double?

    public init(
        suite: Suite, seeds: [UInt64], mode: String, agent: String, sessions: [SessionGrade],
        refused: [ProblemRefusal], sustainShare: Double? = nil
    ) {
        self.sustainShare = sustainShare
        self.suite = suite
        self.seeds = seeds
        self.mode = mode
        self.sessions = sessions
        self.refused = refused
        totals = ScoreCard(agent: agent, sessions)
    }
}
