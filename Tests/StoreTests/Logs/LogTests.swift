import AgentProtocol
import Fleet
import Store
import Testing

@Suite("questions for output")
struct LogTests {
    private func question(_ scene: Scene, after: Int? = nil) -> LogQuestion {
        LogQuestion(
            id: scene.ids.id(), host: "h1", allocation: scene.ids.id(), after: after, tailLines: 5,
            waitSeconds: 2.5)
    }

    @Test(
        "a question reaches its session once, its answer whoever asked once",
        arguments: StoreImplementation.all)
    func roundTrip(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 0) { scene in
            let store = scene.store
            let (mine, other): (ID<AgentSession>, ID<AgentSession>) = (scene.ids.id(), scene.ids.id())
            let questions = (0..<3).map { question(scene, after: $0) }
            for question in questions { try await store.ask(question, session: mine) }
            #expect(try await store.sessionsAsked() == [mine])
            #expect(try await store.takeQuestions(session: other).isEmpty)
            #expect(Set(try await store.takeQuestions(session: mine)) == Set(questions))
            #expect(try await store.takeQuestions(session: mine).isEmpty)
            #expect(try await store.sessionsAsked().isEmpty)

            let piece = LogPiece(
                text: "a\u{0}b\n\"ü\"", next: 9, isCaughtUp: true, isEnd: false, skippedBytes: 3)
            let answer = LogAnswer(id: questions[0].id, piece: piece)
            #expect(try await store.takeAnswer(answer.id) == nil)
            try await store.answer(answer, session: other)
            #expect(try await store.takeAnswer(answer.id) == nil)
            try await store.answer(answer, session: mine)
            #expect(try await store.takeAnswer(answer.id) == answer)
            #expect(try await store.takeAnswer(answer.id) == nil)
            // Nobody waits for it any more.
            try await store.answer(answer, session: mine)
            #expect(try await store.takeAnswer(answer.id) == nil)
        }
    }

    @Test("who waits hears of questions and answers", arguments: StoreImplementation.all)
    func wakes(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 0) { scene in
            let store = scene.store
            let session: ID<AgentSession> = scene.ids.id()
            let asked = question(scene)
            var seen = try await store.waitForChange(after: 0, timeout: .zero)
            try await store.ask(asked, session: session)
            #expect(try await store.waitForChange(after: seen, timeout: .seconds(10)) > seen)
            seen = try await store.waitForChange(after: 0, timeout: .zero)
            try await store.answer(LogAnswer(id: asked.id, refusal: "no"), session: session)
            #expect(try await store.waitForChange(after: seen, timeout: .seconds(10)) > seen)
        }
    }

    @Test(
        "a session is asked so much at once, until the oldest are forgotten",
        arguments: StoreImplementation.all)
    func limits(_ implementation: StoreImplementation) async throws {
        try await Scene.run(implementation, hosts: 0) { scene in
            let store = scene.store
            let session: ID<AgentSession> = scene.ids.id()
            for _ in 0..<LogLimit.questionsPerSession {
                try await store.ask(question(scene), session: session)
            }
            await #expect(throws: StoreError.self) { try await store.ask(question(scene), session: session) }
            try await store.ask(question(scene), session: scene.ids.id())
            try await scene.advance(LogLimit.questionSeconds + 1)
            let late = question(scene)
            try await store.ask(late, session: session)
            #expect(try await store.takeQuestions(session: session) == [late])
        }
    }
}
