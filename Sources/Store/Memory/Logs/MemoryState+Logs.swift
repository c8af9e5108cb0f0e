import AgentProtocol
import Fleet

/// A question on its way.
struct QuestionRow {
    var question: LogQuestion
    var session: ID<AgentSession>
    var askedAt: Timestamp
    var order: Int
    var taken = false
    var answer: LogAnswer?
}

extension MemoryState {
    mutating func ask(_ question: LogQuestion, session: ID<AgentSession>) throws {
        let oldest = now.advanced(by: .zero - .seconds(LogLimit.questionSeconds))
        questions = questions.filter { $0.value.askedAt >= oldest }
        guard questions.values.count(where: { $0.session == session }) < LogLimit.questionsPerSession else {
            throw StoreError.unavailable("too many are reading output of this agent's hosts")
        }
        let order = (questions.values.map(\.order).max() ?? 0) + 1
        questions[question.id] = QuestionRow(
            question: question, session: session, askedAt: now, order: order)
    }

    func sessionsAsked() -> [ID<AgentSession>] {
        Set(questions.values.filter { !$0.taken }.map(\.session)).sorted()
    }

    mutating func takeQuestions(session: ID<AgentSession>) -> [LogQuestion] {
        let open = questions.values.filter { $0.session == session && !$0.taken }
            .sorted { ($0.askedAt, $0.order) < ($1.askedAt, $1.order) }.map(\.question)
        for question in open { questions[question.id]?.taken = true }
        return open
    }

    mutating func answer(_ answer: LogAnswer, session: ID<AgentSession>) {
        guard questions[answer.id]?.session == session else { return }
        questions[answer.id]?.taken = true
        questions[answer.id]?.answer = answer
    }

    mutating func takeAnswer(_ id: ID<LogQuestion>) -> LogAnswer? {
        guard let answer = questions[id]?.answer else { return nil }
        questions[id] = nil
        return answer
    }
}
