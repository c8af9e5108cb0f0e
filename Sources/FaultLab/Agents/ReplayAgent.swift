/// Says again what was said in a session: in the simulated world it must be answered the same.
public struct ReplayAgent: ScriptedAgent {
    public let name: String
    private var turns: [AgentTurn]

    public init(_ trace: SessionTrace) {
        name = "replay"
        turns = trace.steps.map { step in
            guard let call = step.call, call.text == step.said else { return .text(step.said) }
            return .call(call)
        }
    }

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        turns.isEmpty ? .submit() : turns.removeFirst()
    }

    /// Numbers of the steps that were answered otherwise; those that only one run has are among them.
    public static func differences(_ first: SessionTrace, _ second: SessionTrace) -> [Int] {
        let longest = max(first.steps.count, second.steps.count)
        return (0..<longest).filter { index in
            guard first.steps.indices.contains(index), second.steps.indices.contains(index) else {
                return true
            }
            return first.steps[index].observationHash != second.steps[index].observationHash
                || first.steps[index].at != second.steps[index].at
        }.map { $0 + 1 }
    }
}

/// Repeats a call that cannot be read until its steps are used up.
public struct StuckAgent: ScriptedAgent {
    public let name = "stuck"

    public init() {}

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        .text("I will look at the logs now.\n```python\nget_logs(namespace=\n```")
    }
}
