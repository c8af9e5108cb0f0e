public import AgentProtocol
public import Fleet

/// Carries questions for output to the agents' sessions and answers back, whichever controllers both talk to.
/// Nothing here outlives a minute.
public protocol LogStore: Sendable {
    /// Puts a question to a session.
    ///
    /// - Throws: `unavailable` when too many wait already.
    func ask(_ question: LogQuestion, session: ID<AgentSession>) async throws

    /// Sessions with questions that nobody took, sorted.
    func sessionsAsked() async throws -> [ID<AgentSession>]

    /// The session's questions, each given out once, in the order of asking.
    func takeQuestions(session: ID<AgentSession>) async throws -> [LogQuestion]

    /// Keeps an answer for whoever asked; one to a question of another session, or forgotten by now, is
    /// dropped.
    func answer(_ answer: LogAnswer, session: ID<AgentSession>) async throws

    /// The answer, given out once; nil while there is none.
    func takeAnswer(_ id: ID<LogQuestion>) async throws -> LogAnswer?
}
