public import AgentProtocol
public import Fleet

extension MemoryStore {
    public func ask(_ question: LogQuestion, session: ID<AgentSession>) async throws {
        try write(wakes: true) { try $0.ask(question, session: session) }
    }

    public func sessionsAsked() async throws -> [ID<AgentSession>] { read { $0.sessionsAsked() } }

    public func takeQuestions(session: ID<AgentSession>) async throws -> [LogQuestion] {
        write { $0.takeQuestions(session: session) }
    }

    public func answer(_ answer: LogAnswer, session: ID<AgentSession>) async throws {
        write(wakes: true) { $0.answer(answer, session: session) }
    }

    public func takeAnswer(_ id: ID<LogQuestion>) async throws -> LogAnswer? { write { $0.takeAnswer(id) } }
}
