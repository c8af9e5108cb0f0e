public import Fleet

/// All that happened in a session. Holds the truth: for who may know, and for others when it is over.
public struct SessionTrace: Sendable, Hashable, Codable {
    public var problem: Problem
    public var agent: String
    /// What was asked, in order.
    public var stages: [Stage]
    public var steps: [SessionStep]
    public var solutions: [Stage: Solution]
    public var submittedAt: [Stage: Timestamp]
    public var startedAt: Timestamp
    /// When the faults were injected, and when they first showed.
    public var armedAt: Timestamp?
    public var effectiveAt: Timestamp?
    /// Since when the fleet was well, once it was graded so.
    public var wellSince: Timestamp?
    public var endedAt: Timestamp?

    public init(
        problem: Problem, agent: String, stages: [Stage] = Stage.allCases, startedAt: Timestamp
    ) {
        self.problem = problem
        self.agent = agent
        self.stages = stages
        self.startedAt = startedAt
        steps = []
        solutions = [:]
        submittedAt = [:]
    }

    /// What was changed and carried out.
    public var writes: [WriteAction] {
        steps.compactMap { $0.status == .ok || $0.status == .error ? $0.write : nil }
    }

    /// Of what was said and seen, in order: equal for equal runs (FNV-1a over the steps' own hashes).
    public var hash: UInt64 {
        steps.reduce(TextHash.basis) { hash, step in
            let line = "\(step.stage.rawValue) \(step.said) \(step.status.rawValue) \(step.observationHash)"
            return TextHash.of("\(line) \(step.at)", from: hash)
        }
    }
}

/// One thing that an agent said, and what it was answered.
public struct SessionStep: Sendable, Hashable, Codable {
    /// From 1.
    public var number: Int
    public var stage: Stage
    /// When it was said.
    public var at: Timestamp
    /// As the agent said it.
    public var said: String
    public var call: ActionCall?
    /// Nil of what is no action.
    public var access: ActionSignature.Access?
    public var write: WriteAction?
    public var status: Observation.Status
    public var observationHash: UInt64
    public var observedBytes: Int
}

/// FNV-1a, for hashes that are the same in every process.
enum TextHash {
    static let basis: UInt64 = 0xCBF2_9CE4_8422_2325

    static func of(_ text: String, from basis: UInt64 = TextHash.basis) -> UInt64 {
        text.utf8.reduce(basis) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
