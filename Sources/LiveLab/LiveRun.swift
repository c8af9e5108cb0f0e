public import FaultLab
public import Fleet
internal import Foundation

/// Plays problems on a live fleet.
public enum LiveRun {
    /// What a live fleet can suffer.
    public static let kinds: Set<FaultKind> = [
        .agentCrash, .agentHang, .heartbeatDrop, .linkPartition, .linkAnswerLoss, .hostPowerOff, .vmCrashLoop,
        .controllerCrash, .controllerStall, .storeOutage, .storeReadOnly, .badRatio,
    ]

    /// Seconds for which a fleet must stay well at least: a look or two.
    private static let shortestSustain = 2

    /// What problems may choose from.
    static func surface(_ fleet: LiveFleet) -> ProblemSurface {
        let places = fleet.agents.map { ["host": $0, "agent": $0, "link": $0, "rack": "-", "zone": "-"] }
        var choices: [FaultTarget.Component: [[String: String]]] = [:]
        for component in [FaultTarget.Component.host, .agent, .link] { choices[component] = places }
        choices[.controller] = fleet.controllers.map { ["controller": $0.name] }
        choices[.store] = [["store": "primary"]]
        choices[.policy] = [["policy": LiveFleet.pool]]
        choices[.vm] = fleet.residents.map { ["vm": $0] }
        return ProblemSurface(choices: choices, constants: ["vmCommand": "tail"], kinds: kinds)
    }

    /// Plays problems one after another on one fleet; each finds it well or is refused.
    ///
    /// - Parameters:
    ///   - agent: for a problem and its number.
    ///   - note: is told of each session that is over.
    public static func suite(
        _ suite: Suite, of templates: [ProblemTemplate], seeds: [UInt64], name: String, on fleet: LiveFleet,
        now: @Sendable () -> Timestamp, note: (String) -> Void = { _ in },
        agent: (Int, FaultLab.Problem) -> any ScriptedAgent
    ) async throws -> (result: SuiteResult, outcomes: [SessionRunner.Outcome]) {
        let (problems, refused) = try ProblemPool.seed().drawn(templates, seeds: seeds, on: surface(fleet))
        var runner = SessionRunner()
        // What takes minutes in a large fleet takes seconds with leases that are so short.
        runner.longestVerification = .seconds(90)
        runner.pause = .zero
        runner.grace = .seconds(30)
        runner.pace = .milliseconds(200)
        var outcomes: [SessionRunner.Outcome] = []
        var failed: [ProblemRefusal] = []
        for (number, drawn) in problems.enumerated() {
            var problem = drawn
            let window = Double(problem.sustainSeconds) * fleet.options.sustainShare
            problem.sustainSeconds = max(Self.shortestSustain, Int(window.rounded(.up)))
            let ground = LiveGround(fleet, problem, number: number, at: now())
            let began = ContinuousClock.now
            do {
                let outcome = try await runner.run(problem, agent(number, problem), on: ground)
                if !outcome.residue.isEmpty {
                    throw LiveFleetError("\(problem.name) left \(outcome.residue)")
                }
                outcomes.append(outcome)
            } catch let refusal as ProblemRefusal {
                failed.append(refusal)
            }
            let seconds = (ContinuousClock.now - began).components.seconds
            note("\(problem.name): \(seconds) s" + (failed.last?.problem == problem.name ? ", refused" : ""))
        }
        return (
            SuiteResult(
                suite: suite, seeds: seeds, mode: "live", agent: name, sessions: outcomes.map(\.grade),
                refused: refused + failed, sustainShare: fleet.options.sustainShare), outcomes
        )
    }
}
