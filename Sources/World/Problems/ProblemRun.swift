public import FaultLab
internal import Synchronization

/// Plays problems in simulated worlds.
public enum ProblemRun {
    /// Plays one problem in a world of its own.
    ///
    /// - Throws: `ProblemRefusal`, `WorldError`.
    public static func play(
        _ problem: Problem, _ agent: any ScriptedAgent, runner: SessionRunner = SessionRunner()
    ) async throws -> SessionRunner.Outcome {
        let result = Mutex<Result<SessionRunner.Outcome, any Error>?>(nil)
        _ = try await World.run(ProblemFleet.configuration(seed: problem.seed)) { world in
            let ground = ProblemWorld(world, problem)
            do {
                let outcome = try await runner.run(problem, agent, on: ground)
                result.withLock { $0 = .success(outcome) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
        }
        guard let played = result.withLock({ $0 }) else {
            throw ProblemRefusal(.unsteady, problem.name, "The session did not come to its end.")
        }
        return try played.get()
    }

    /// Plays a suite, some problems at once; results are in the order of the catalogue.
    ///
    /// - Parameter agent: for a problem and its number.
    public static func suite(
        _ suite: Suite, of templates: [ProblemTemplate], seeds: [UInt64], name: String, jobs: Int,
        agent: @escaping @Sendable (Int, Problem) -> any ScriptedAgent
    ) async throws -> (result: SuiteResult, outcomes: [SessionRunner.Outcome]) {
        let surface = ProblemFleet.surface(ProblemFleet.configuration(seed: 0))
        let (problems, refused) = try ProblemPool.seed().drawn(templates, seeds: seeds, on: surface)
        var outcomes: [Int: SessionRunner.Outcome] = [:]
        var failed: [Int: ProblemRefusal] = [:]
        try await withThrowingTaskGroup(
            of: (Int, Result<SessionRunner.Outcome, ProblemRefusal>).self
        ) { group in
            var left = Array(problems.enumerated())[...]
            func next() {
                guard let (number, problem) = left.popFirst() else { return }
                group.addTask {
                    do {
                        return (number, .success(try await play(problem, agent(number, problem))))
                    } catch let refusal as ProblemRefusal {
                        return (number, .failure(refusal))
                    }
                }
            }
            for _ in 0..<max(1, jobs) { next() }
            while let (number, result) = try await group.next() {
                switch result {
                case .success(let outcome): outcomes[number] = outcome
                case .failure(let refusal): failed[number] = refusal
                }
                next()
            }
        }
        let played = outcomes.sorted { $0.key < $1.key }.map(\.value)
        return (
            SuiteResult(
                suite: suite, seeds: seeds, mode: "sim", agent: name, sessions: played.map(\.grade),
                refused: refused + failed.sorted { $0.key < $1.key }.map(\.value)),
            played
        )
    }
}
