public import AgentProtocol
public import Fleet

/// Keeps what parts write.
public protocol OutputSource: Sendable {
    /// Answers at the latest after the question's wait.
    func read(_ question: LogQuestion) async throws(RuntimeError) -> LogPiece
}
