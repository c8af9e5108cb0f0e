import FaultLab
import Fleet
import Testing

@Suite struct ScriptedAgentTests {
    private func problems(_ suite: Suite, seeds: [UInt64] = [1]) throws -> [Problem] {
        try ProblemPool.seed().drawn(suite, seeds: seeds, on: FakeGround.surface).problems
    }

    private func card(
        _ problems: [Problem], _ agent: (Int, Problem) -> any ScriptedAgent
    ) async throws -> (ScoreCard, [SessionGrade]) {
        var grades: [SessionGrade] = []
        for (number, problem) in problems.enumerated() {
            let outcome = try await SessionRunner().run(
                problem, agent(number, problem), on: FakeGround(problem))
            grades.append(outcome.grade)
        }
        return (ScoreCard(agent: grades.first?.agent ?? "", grades), grades)
    }

    @Test func `who knows everything scores everything`() async throws {
        let (card, grades) = try await card(try problems(.full, seeds: [1, 2, 3])) {
            OracleAgent($1)
        }
        for grade in grades { #expect(grade.isResolved, "\(grade.problem): \(grade.stages)") }
        #expect(card.detect.value == 1 && card.localize1.value == 1 && card.analyze.value == 1)
        #expect(card.mitigate.value == 1 && card.harm.value == 0 && card.overall == 1)
        #expect(card.ttm != nil && card.ttd != nil)
    }

    @Test func `who always says the same scores half, and nothing else`() async throws {
        for agent in [ConstantAgent.dummy, .alwaysYes] {
            let (card, _) = try await card(try problems(.full)) { _, _ in agent }
            // The two no-ops without a pair weigh nothing: the shares are what is averaged.
            #expect(card.detect.value == 0.5, "\(agent.name)")
            #expect(card.localize1.value == 0 && card.analyze.value == 0 && card.mitigate.value == 0)
            #expect(card.harm.value == 0)
        }
    }

    @Test(arguments: SaboteurAgent.Trick.allCases)
    func `no trick repairs anything`(trick: SaboteurAgent.Trick) async throws {
        let (card, grades) = try await card(try problems(.full)) { _, _ in SaboteurAgent(trick) }
        for grade in grades where grade.hasFault {
            #expect(grade.grade(.mitigation)?.score == 0, "\(grade.problem)")
        }
        #expect(card.mitigate.value == 0)
    }

    @Test func `who is stuck ends at the last step and the fleet is cleared`() async throws {
        let problem = try #require(try problems(.smoke).first)
        let runner = SessionRunner(limits: EvaluationSession.Limits(steps: 12))
        let outcome = try await runner.run(problem, StuckAgent(), on: FakeGround(problem))
        #expect(outcome.trace.steps.count == 12 && outcome.grade.counts.invalid == 12)
        #expect(outcome.grade.counts.repeated == 11 && outcome.residue.isEmpty)
        #expect(outcome.grade.stages.allSatisfy { $0.score == 0 && !$0.isAnswered })
        #expect(outcome.trace.endedAt != nil)
    }

    @Test func `chance breaks nothing in ten thousand steps`() async throws {
        var steps = 0
        var seed: UInt64 = 0
        let problems = try problems(.full)
        while steps < 10_000 {
            let problem = problems[Int(seed) % problems.count]
            seed += 1
            let outcome = try await SessionRunner(limits: EvaluationSession.Limits(steps: 200)).run(
                problem, RandomAgent(seed: seed), on: FakeGround(problem))
            steps += outcome.trace.steps.count
            for stage in outcome.grade.stages { #expect((0...1).contains(stage.score)) }
        }
    }

    @Test func `what is said again is answered again`() async throws {
        let problem = try #require(try problems(.lite).first { $0.truth.hasFault })
        let first = try await SessionRunner().run(problem, RandomAgent(seed: 3), on: FakeGround(problem))
        let second = try await SessionRunner().run(
            problem, ReplayAgent(first.trace), on: FakeGround(problem))
        #expect(ReplayAgent.differences(first.trace, second.trace).isEmpty)
        #expect(first.trace.hash == second.trace.hash)
        var other = second.trace
        other.steps.removeLast()
        #expect(ReplayAgent.differences(first.trace, other) == [first.trace.steps.count])
    }

    @Test func `a fleet that is not well, or a fault without effect, counts for nobody`() async throws {
        let problem = try #require(try problems(.smoke).first)
        let unsteady = FakeGround(problem)
        unsteady.isUnsteady = true
        await #expect { try await SessionRunner().run(problem, OracleAgent(problem), on: unsteady) } throws: {
            ($0 as? ProblemRefusal)?.code == .unsteady
        }
        #expect(unsteady.performed == 0)
        let silent = FakeGround(problem)
        silent.showsNothing = true
        await #expect { try await SessionRunner().run(problem, OracleAgent(problem), on: silent) } throws: {
            ($0 as? ProblemRefusal)?.code == .noEffect
        }
        #expect(await silent.state().faultsInEffect == 0)
    }

    @Test func `sessions take things in their order`() throws {
        let problem = try #require(try problems(.smoke).first)
        var session = EvaluationSession(problem, agent: "a", at: Timestamp(seconds: 0))
        #expect(throws: EvaluationSession.OutOfTurn.self) {
            try session.hear(.text("x"), at: Timestamp(seconds: 0))
        }
        try session.begin()
        try session.checked(FleetState())
        #expect(throws: EvaluationSession.OutOfTurn.self) { try session.ask(at: Timestamp(seconds: 1)) }
        try session.armed(at: Timestamp(seconds: 1))
        try session.showed(at: Timestamp(seconds: 2))
        try session.ask(at: Timestamp(seconds: 3))
        _ = try session.hear(.text("submit(\"Yes\")"), at: Timestamp(seconds: 4))
        #expect(session.phase == .active(.localisation))
        // Heard and not answered.
        #expect(throws: EvaluationSession.OutOfTurn.self) {
            try session.hear(.text("submit([])"), at: Timestamp(seconds: 4))
        }
        try session.answered(.message("Received."))
        #expect(!session.isExhausted(at: Timestamp(seconds: 10)))
        #expect(session.isExhausted(at: Timestamp(seconds: 10_000)))
        try session.expire()
        #expect(session.phase == .grading)
        try session.abort()
        #expect(throws: EvaluationSession.OutOfTurn.self) { try session.abort() }
    }

    @Test func `the farthest series is found`() {
        func summary(_ name: String, _ values: [Double]) -> MetricSummary? {
            MetricSummary(
                MetricSeries(
                    name: "m", component: ComponentName(name), start: Timestamp(seconds: 0), stepSeconds: 15,
                    values: values))
        }
        let calm = summary("host/a", (0..<40).map { Double($0 % 3) })
        let broken = summary("host/b", (0..<40).map { $0 < 30 ? Double($0 % 3) : 50 })
        var agent = NSigmaAgent()
        let view = AgentView(
            stage: .localisation, step: 2, stepsLeft: 9, now: Timestamp(seconds: 0), brief: "",
            last: Observation(.metrics([calm, broken].compactMap(\.self))))
        #expect(agent.turn(view).text == "submit([\"host/b\"])")
    }
}
