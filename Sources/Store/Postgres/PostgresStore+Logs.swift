public import AgentProtocol
public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func ask(_ question: LogQuestion, session: ID<AgentSession>) async throws {
        let text = String(decoding: try JSONEncoder().encode(question), as: UTF8.self)
        let rows = try await write(
            Self.askStatement,
            [
                question.id.uuid, session.uuid, text, LogLimit.questionsPerSession,
                Duration.seconds(LogLimit.questionSeconds).interval,
            ])
        guard !rows.isEmpty else {
            throw StoreError.unavailable("too many are reading output of this agent's hosts")
        }
    }

    public func sessionsAsked() async throws -> [ID<AgentSession>] {
        try await read(Self.sessionsAskedStatement).map { try $0.id("session") }
    }

    public func takeQuestions(session: ID<AgentSession>) async throws -> [LogQuestion] {
        try await read(Self.takeQuestionsStatement, [session.uuid]).map { row in
            try DocumentJSON.decode(LogQuestion.self, from: try row.decode("question", as: String.self))
        }
    }

    public func answer(_ answer: LogAnswer, session: ID<AgentSession>) async throws {
        let text = String(decoding: try JSONEncoder().encode(answer), as: UTF8.self)
        _ = try await write(Self.answerStatement, [answer.id.uuid, session.uuid, text])
    }

    public func takeAnswer(_ id: ID<LogQuestion>) async throws -> LogAnswer? {
        try await read(Self.takeAnswerStatement, [id.uuid]).first.map { row in
            try DocumentJSON.decode(LogAnswer.self, from: try row.decode("answer", as: String.self))
        }
    }

    private static let askStatement = Statement(
        name: "log_ask",
        sql: """
            WITH gone AS (DELETE FROM log_question WHERE asked_at < basalt_now() - $5::interval)
            INSERT INTO log_question (id, session, asked_at, question)
            SELECT $1, $2, basalt_now(), $3
            WHERE (SELECT count(*) FROM log_question WHERE session = $2
                   AND asked_at >= basalt_now() - $5::interval) < $4
            RETURNING id
            """)
    private static let sessionsAskedStatement = Statement(
        name: "log_sessions", sql: "SELECT DISTINCT session FROM log_question WHERE NOT taken ORDER BY 1")
    private static let takeQuestionsStatement = Statement(
        name: "log_take_questions",
        sql: """
            WITH took AS (
                UPDATE log_question SET taken = true WHERE session = $1 AND NOT taken
                RETURNING id, asked_at, question
            )
            SELECT question FROM took ORDER BY asked_at, id
            """)
    private static let answerStatement = Statement(
        name: "log_answer",
        sql: "UPDATE log_question SET taken = true, answer = $3 WHERE id = $1 AND session = $2 RETURNING id")
    private static let takeAnswerStatement = Statement(
        name: "log_take_answer",
        sql: "DELETE FROM log_question WHERE id = $1 AND answer IS NOT NULL RETURNING answer")
}
