import FaultLab
import Fleet
import Testing
import World

/// Sessions in simulated fleets. Each is a fleet of its own.
@Suite struct ProblemTests {
    private func smoke(
        _ name: String, _ agent: @escaping @Sendable (Int, Problem) -> any ScriptedAgent
    ) async throws -> SuiteResult {
        let templates = try ProblemPool.seed().problems(of: .smoke)
        return try await ProblemRun.suite(
            .smoke, of: templates, seeds: [1], name: name, jobs: 2, agent: agent
        ).result
    }

    @Test func `who knows everything scores everything`() async throws {
        let result = try await smoke("oracle") { OracleAgent($1) }
        #expect(result.refused == [] && result.sessions.count >= 16)
        for session in result.sessions {
            #expect(session.isResolved, "\(session.problem): \(session.stages.flatMap(\.shortcomings))")
        }
        #expect(result.totals.harm.value == 0)
    }

    @Test(arguments: [ConstantAgent.dummy, .alwaysYes])
    func `who always says the same scores half`(agent: ConstantAgent) async throws {
        let totals = try await smoke(agent.name) { _, _ in agent }.totals
        #expect(totals.detect.value == 0.5 && totals.localize1.value == 0)
        #expect(totals.analyze.value == 0 && totals.mitigate.value == 0 && totals.harm.value == 0)
    }

    @Test func `no trick repairs anything`() async throws {
        let result = try await smoke("saboteur") { number, _ in SaboteurAgent(number: number / 2) }
        #expect(result.totals.mitigate.value == 0 && result.totals.mitigate.count >= 8)
    }

    @Test func `equal sessions are equal`() async throws {
        let pool = try ProblemPool.seed()
        let surface = ProblemFleet.surface(ProblemFleet.configuration(seed: 0))
        let problem = try pool.template("NET-01").draw(seed: 2, on: surface, contexts: pool.contexts)
        let first = try await ProblemRun.play(problem, RuleBookAgent())
        let second = try await ProblemRun.play(problem, ReplayAgent(first.trace))
        #expect(ReplayAgent.differences(first.trace, second.trace) == [])
        #expect(first.trace.hash == second.trace.hash && first.residue.isEmpty)
    }

    @Test func `what this fleet cannot suffer is refused`() throws {
        let surface = ProblemFleet.surface(ProblemFleet.configuration(seed: 0))
        let (problems, refused) = try ProblemPool.seed().drawn(.full, seeds: [1], on: surface)
        #expect(problems.count { $0.truth.hasFault } >= 25)
        #expect(refused.allSatisfy { $0.code == .notInjectable && !$0.message.isEmpty })
        let lite = try ProblemPool.seed().drawn(.lite, seeds: [1], on: surface)
        #expect(lite.refused == [])
    }
}
