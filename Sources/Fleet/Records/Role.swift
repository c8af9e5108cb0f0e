/// What a bearer token may do.
public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
    case admin
    case `operator`
    case viewer
    case agentSession = "agent-session"
}
