internal import Fleet

/// What a session consists of, as whoever asked for it wants it.
///
/// It goes from the server that agents speak to into the program that holds the fleet and the truth. What it
/// says of the problem stays with whoever ordered it: no agent is told.
public struct SessionOrder: Sendable, Hashable, Codable {
    /// A template of the pool, or a suite of which the seed chooses one.
    public enum Choice: Sendable, Hashable, Codable {
        case template(String)
        case suite(Suite)
    }

    public var choice: Choice
    public var seed: UInt64
    /// Whether the faults are left out; nil lets the seed decide.
    public var isNoop: Bool?
    public var agent: String
    public var stages: [Stage]
    public var mode: ActionTextParser.Mode
    public var limits: EvaluationSession.Limits
    /// Folder that takes what became of it. Nothing is written there before the end.
    public var folder: String

    public init(
        choice: Choice, seed: UInt64, isNoop: Bool?, agent: String, stages: [Stage],
        mode: ActionTextParser.Mode, limits: EvaluationSession.Limits, folder: String
    ) {
        self.choice = choice
        self.seed = seed
        self.isNoop = isNoop
        self.agent = agent
        self.stages = stages
        self.mode = mode
        self.limits = limits
        self.folder = folder
    }

    /// Draws the problem.
    ///
    /// - Throws: `ProblemRefusal`.
    public func problem(from pool: ProblemPool, on surface: ProblemSurface) throws(ProblemRefusal) -> Problem
    {
        var random = FaultRandom(seed: seed ^ TextHash.of("session"))
        let template: ProblemTemplate
        switch choice {
        case .template(let id): template = try pool.template(id)
        case .suite(let suite):
            let playable = pool.problems(of: suite).filter { $0.refusal(on: surface) == nil }
            guard let picked = random.pick(playable) else {
                throw ProblemRefusal(
                    .notInjectable, suite.rawValue, "Nothing of the suite can be played here.")
            }
            template = picked
        }
        // One more draw, whether it is asked for or not: the same seed gives the same problem.
        let drawn = random.below(2) == 0
        return try template.draw(
            seed: seed, on: surface, contexts: pool.contexts, withoutFaults: isNoop ?? drawn)
    }
}

/// What the program of a session says, a line of JSON each.
public enum SessionLine: Sendable, Codable {
    /// The agent is asked; `view.last` answers what it said before.
    case asked(AgentView)
    /// It is over, and what became of it lies in its folder.
    case ended
    /// It could not be played.
    case refused(ProblemRefusal)
}

/// What became of a session.
public struct SessionResult: Sendable, Codable {
    public var trace: SessionTrace
    public var grade: SessionGrade
    /// What the faults left behind; empty when all is cleared away.
    public var residue: [String]

    public init(trace: SessionTrace, grade: SessionGrade, residue: [String]) {
        self.trace = trace
        self.grade = grade
        self.residue = residue
    }

    /// Name of the file in the session's folder.
    public static let file = "result.json"
}
