public import APITypes

/// Why a call gave no result.
public enum ClientError: Error, Sendable, Equatable {
    /// The server answered with a problem.
    case problem(Problem)
    /// No server could be reached, or each one broke off; says which and why.
    case unreachable(String)
    /// Something answered that does not speak this API.
    case unintelligible(String)
    /// The client was set up wrongly: address, certificate file, token.
    case configuration(String)

    /// The problem, when the server answered with one.
    public var problem: Problem? { if case .problem(let problem) = self { problem } else { nil } }

    /// Whether the server said so with this code.
    public func isProblem(_ code: ProblemCode) -> Bool { problem?.code == code }
}

extension ClientError: CustomStringConvertible {
    /// One sentence; the causes of a problem are not part of it.
    public var description: String {
        switch self {
        case .problem(let problem): problem.detail.isEmpty ? problem.title : problem.detail
        case .unreachable(let text), .unintelligible(let text), .configuration(let text): text
        }
    }
}
