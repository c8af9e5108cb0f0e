internal import Fleet

/// One action with its arguments, known and of the right form.
public enum AgentAction: Sendable, Hashable {
    case read(ReadAction)
    case write(WriteAction)
    case submit(Solution)

    /// - Parameters:
    ///   - stage: what `submit` would end.
    ///   - mode: how `submit` is read.
    /// - Throws: `ActionRefusal`; nothing was done.
    public init(_ call: ActionCall, stage: Stage, mode: ActionTextParser.Mode) throws(ActionRefusal) {
        guard let verb = ActionVerb(rawValue: call.name) else {
            let nearest = NearestChoice.of(call.name, among: ActionVerb.offered)
            let hint = nearest.map { " The nearest is \"\($0)\"." } ?? ""
            throw ActionRefusal(
                .unknownAction, "There is no action \"\(call.name.prefix(60))\".\(hint)")
        }
        guard verb != .submit else {
            self = .submit(try Solution(call, for: stage, mode: mode))
            return
        }
        let arguments = try BoundArguments(call, verb.signature)
        if let action = ReadAction(verb, arguments) {
            self = .read(action)
        } else if let action = WriteAction(verb, arguments) {
            self = .write(action)
        } else {
            throw ActionRefusal(.unknownAction, "\"\(call.name)\" is not carried out here.")
        }
    }
}
