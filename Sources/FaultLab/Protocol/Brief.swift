/// What an agent is told: of the fleet, of what is asked, and of what it can do. Nothing of what is wrong.
public struct Brief: Sendable, Hashable {
    public var problem: String
    public var context: String

    public init(_ problem: Problem) {
        self.problem = problem.alias
        context = problem.context
    }

    public var actions: [ActionSignature] { ActionVerb.allCases.map(\.signature) }

    public var text: String {
        """
        \(context)

        Something may be wrong with this fleet, or nothing may be. You are asked four things, one after \
        another: detection, whether anything is wrong; localisation, which component is at fault; analysis, at \
        which level and of which type the cause is; mitigation, to put it right. Where nothing is wrong, say \
        so and change nothing.

        Components are written kind/name: agent/NAME, host/NAME, gpu/HOST/INDEX, nic/HOST/eth0, disk/HOST, \
        vm/NAME, job/NAME, controller/NAME, policy/NAME, quota/PROJECT, predictor/NAME, db/primary, \
        db/table/NAME, switch/RACK, path/controller<->AGENT for both directions of a path, \
        path/controller->AGENT for one.

        Levels: \(SystemLevel.allCases.map(\.rawValue).joined(separator: ", ")).
        Types: \(FaultType.allCases.map(\.rawValue).joined(separator: ", ")).

        Answer each time with one call in a block between lines of three backticks. Actions:
        \(actions.map { "- \($0.usage): \($0.documentation)" }.joined(separator: "\n"))
        """
    }
}
