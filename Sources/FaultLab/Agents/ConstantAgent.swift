/// Says the same whatever happens, and does nothing: what looking at answers alone would reward.
public struct ConstantAgent: ScriptedAgent {
    public let name: String
    private let answer: String

    /// Sees nothing, ever.
    public static let dummy = ConstantAgent(name: "dummy", answer: "No")
    /// Sees something everywhere.
    public static let alwaysYes = ConstantAgent(name: "always-yes", answer: "Yes")

    private init(name: String, answer: String) {
        self.name = name
        self.answer = answer
    }

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        // In texts, as AIOpsLab's smallest client: so the protocol is used as well.
        switch view.stage {
        case .detection: .text("```\nsubmit(\"\(answer)\")\n```")
        case .localisation: .text("```\nsubmit([])\n```")
        case .analysis, .mitigation: .text("```\nsubmit()\n```")
        }
    }
}
