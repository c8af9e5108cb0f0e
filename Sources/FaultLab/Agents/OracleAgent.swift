/// Knows what is wrong and plays the first documented solution: what it cannot do nobody can.
public struct OracleAgent: ScriptedAgent {
    public let name = "oracle"
    private let truth: Truth
    private var calls: [ActionCall]
    /// A call that was blocked or failed is tried again after a wait.
    private var current: ActionCall?
    private var retries = 0

    private static let mostRetries = 5

    public init(_ problem: Problem) {
        truth = problem.truth
        calls = problem.oracle
    }

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        switch view.stage {
        case .detection: return .submit(.text(truth.hasFault ? "Yes" : "No"))
        case .localisation: return .submit(.list(truth.components.map { .text($0.description) }))
        case .analysis:
            guard let level = truth.systemLevels.first, let type = truth.faultTypes.first else {
                return .submit(.mapping([:]))
            }
            return .submit(
                .mapping(["system_level": .text(level.rawValue), "fault_type": .text(type.rawValue)]))
        case .mitigation: return mitigate(view.last)
        }
    }

    private mutating func mitigate(_ last: Observation?) -> AgentTurn {
        if let failed = current, let last, last.status == .error || last.status == .blocked,
            retries < Self.mostRetries
        {
            retries += 1
            current = nil
            calls.insert(failed, at: 0)
            return .wait(seconds: 30)
        }
        guard !calls.isEmpty else { return .submit() }
        let call = calls.removeFirst()
        current = call
        return .call(call)
    }
}

extension AgentTurn {
    /// Ends the stage; without a value where nothing is asked.
    static func submit(_ solution: ActionValue? = nil) -> AgentTurn {
        .call(ActionCall(name: ActionVerb.submit.rawValue, arguments: solution.map { [$0] } ?? []))
    }

    static func wait(seconds: Int) -> AgentTurn { .act(.wait, .integer(seconds)) }

    static func act(_ verb: ActionVerb, _ arguments: ActionValue...) -> AgentTurn {
        .call(ActionCall(name: verb.rawValue, arguments: arguments))
    }

    static func submit(components: [ComponentName]) -> AgentTurn {
        .submit(.list(components.map { .text($0.description) }))
    }

    static func submit(_ level: SystemLevel?, _ type: FaultType?) -> AgentTurn {
        guard let level, let type else { return .submit(.mapping([:])) }
        return .submit(
            .mapping(["system_level": .text(level.rawValue), "fault_type": .text(type.rawValue)]))
    }
}
