/// One call as an agent wrote it, before anyone knows whether there is such an action.
public struct ActionCall: Sendable, Hashable, Codable {
    public var name: String
    /// Arguments by place.
    public var arguments: [ActionValue]
    /// Arguments by name.
    public var keywords: [String: ActionValue]

    public init(name: String, arguments: [ActionValue] = [], keywords: [String: ActionValue] = [:]) {
        self.name = name
        self.arguments = arguments
        self.keywords = keywords
    }
}

/// Why a text is no call.
public struct ActionTextFailure: Error, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable, Codable {
        /// Not exactly one fenced block, or no call in it.
        case format
        /// The command of `exec_shell` is not one quoted text.
        case unquotedCommand
        /// The arguments are no literals.
        case arguments
        /// Longer than `ActionTextParser.longest`.
        case tooLong
    }

    public var code: Code
    /// For the agent to read.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
