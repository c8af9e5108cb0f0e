/// Why an agent ends by itself. Workloads go on.
public enum AgentError: Error, Sendable, Equatable {
    /// Another process took the session over.
    case superseded
}
