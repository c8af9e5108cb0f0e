internal import Fleet

/// Draws actions and arguments evenly: what chance scores, and what no harness may fall over.
public struct RandomAgent: ScriptedAgent {
    public let name = "random"
    private var random: FaultRandom
    /// Names that were seen in observations.
    private var names: [String] = ["h-01", "controller", "primary", "*", ""]

    public init(seed: UInt64) { random = FaultRandom(seed: seed) }

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        if let last = view.last { learn(last) }
        guard let verb = random.pick(ActionVerb.allCases) else { return .submit() }
        if verb == .submit { return guess(view.stage) }
        var call = ActionCall(name: verb.rawValue)
        for parameter in verb.signature.parameters where parameter.isRequired || random.chance(0.5) {
            call.keywords[parameter.name] = value(parameter.form)
        }
        return random.chance(0.5) ? .call(call) : .text(call.fenced)
    }

    private mutating func learn(_ observation: Observation) {
        guard names.count < 200 else { return }
        switch observation.content {
        case .rows(let rows): names += rows.prefix(20).compactMap { $0["name"] }
        case .alerts(let alerts): names += alerts.prefix(20).map(\.component.description)
        case .events(let events): names += events.prefix(20).map(\.component.description)
        case .message, .logs, .metrics, .spans: break
        }
    }

    private mutating func guess(_ stage: Stage) -> AgentTurn {
        switch stage {
        case .detection: return .submit(.text(random.chance(0.5) ? "Yes" : "No"))
        case .localisation: return .submit(components: [ComponentName(random.pick(names) ?? "")])
        case .analysis: return .submit(random.pick(SystemLevel.allCases), random.pick(FaultType.allCases))
        case .mitigation: return .submit()
        }
    }

    private mutating func value(_ form: ActionSignature.Parameter.Form) -> ActionValue {
        switch form {
        case .text: .text(random.pick(names) ?? "")
        case .integer: .integer(random.below(1000) - 100)
        case .bool: .bool(random.chance(0.5))
        case .texts: .list([.text(random.pick(names) ?? "")])
        case .mapping: .mapping([random.pick(names) ?? "": .integer(random.below(10))])
        }
    }
}
