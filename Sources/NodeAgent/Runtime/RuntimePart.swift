public import AgentProtocol

/// Where a part is in its life, as the runtime knows it: `starting → running → ended`, or `starting → ended`.
public enum RuntimeState: Sendable, Equatable {
    case starting
    case running
    case ended(PartEnd)
}

/// How a part ended. It does not run and is never started again.
public struct PartEnd: Sendable, Equatable, Codable {
    public enum Outcome: String, Sendable, Codable {
        /// It was asked to end, by the agent or by its fence deadline.
        case stopped
        /// The start failed, or it ended without being asked to.
        case failed
    }

    public var outcome: Outcome
    public var exitCode: Int?
    public var message: String?

    public init(outcome: Outcome, exitCode: Int? = nil, message: String? = nil) {
        self.outcome = outcome
        self.exitCode = exitCode
        self.message = message
    }
}

/// One part that a runtime knows.
public struct RuntimePart: Sendable, Equatable {
    public var key: PartKey
    public var state: RuntimeState
    /// What the part was started with: a runtime keeps it, so that a part is known by its size even when the
    /// agent's ledger is lost.
    public var directive: PartDirective

    public init(key: PartKey, state: RuntimeState, directive: PartDirective) {
        self.key = key
        self.state = state
        self.directive = directive
    }
}

/// What changed in a runtime.
public struct RuntimeChanges: Sendable, Equatable {
    /// The latest state of each part that changed.
    public var parts: [RuntimePart]
    /// Hosts that the runtime cannot reach, when that changed; nil when it did not.
    public var unreachable: [String]?

    public init(parts: [RuntimePart] = [], unreachable: [String]? = nil) {
        self.parts = parts
        self.unreachable = unreachable
    }
}
