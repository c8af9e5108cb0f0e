internal import ArgumentParser
internal import FaultLab
internal import Foundation
internal import World

/// What the evaluation server runs for each session: one fleet, whose agent speaks through this program's
/// input and output.
///
/// The order is the first line of the input, so that no list of processes tells the problem.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Play one session over standard input and output.",
        shouldDisplay: false)

    func run() async throws {
        guard let line = readLine(strippingNewline: true),
            let order = try? JSONDecoder().decode(SessionOrder.self, from: Data(line.utf8))
        else { throw ValidationError("the first line is no order of a session") }
        let surface = ProblemFleet.surface(ProblemFleet.configuration(seed: 0))
        do {
            let problem = try order.problem(from: ProblemPool.seed(), on: surface)
            let runner = SessionRunner(limits: order.limits, mode: order.mode, stages: order.stages)
            let outcome = try await ProblemRun.play(
                problem, DistantAgent(name: order.agent), runner: runner)
            try Export(folder: order.folder).write([outcome])
            let result = SessionResult(trace: outcome.trace, grade: outcome.grade, residue: outcome.residue)
            try JSONEncoder().encode(result).write(
                to: URL(filePath: order.folder).appending(path: SessionResult.file), options: .atomic)
            try Self.say(.ended)
        } catch let refusal as ProblemRefusal {
            try Self.say(.refused(refusal))
        }
    }

    static func say(_ line: SessionLine) throws {
        Console.write(String(decoding: try JSONEncoder().encode(line), as: UTF8.self))
    }
}

/// An agent at the other end of the program's input and output.
///
/// The world stands still while it thinks: nothing else of this process runs.
private struct DistantAgent: ScriptedAgent {
    let name: String

    mutating func turn(_ view: AgentView) -> AgentTurn {
        do {
            try SessionCommand.say(.asked(view))
            // Whoever ends the input ends the session, and the fleet with it.
            guard let line = readLine(strippingNewline: true) else { SessionCommand.exit() }
            return try JSONDecoder().decode(AgentTurn.self, from: Data(line.utf8))
        } catch {
            return .text("")
        }
    }
}
