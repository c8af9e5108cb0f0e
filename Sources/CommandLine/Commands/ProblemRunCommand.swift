internal import APITypes
internal import ArgumentParser
internal import FaultLab
internal import Foundation

struct ProblemRunCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Puts a suite of problems to a scripted agent and grades it.",
        discussion: """
            Each session has a fleet of its own, and each problem a no-op in which nothing is wrong. Sessions \
            that cannot be played count neither for nor against the agent and are listed as refused.
            """)

    @Option(help: "smoke, lite or full.", transform: ProblemWords.suite) var suite = Suite.smoke
    @Option(help: "Problems instead of a suite, such as AG-01,DB-07.") var problem: String?
    @Option(help: "oracle, dummy, always-yes, random, rulebook, nsigma, saboteur, stuck or replay.")
    var agent = "oracle"
    @Option(help: "Seeds 1 to this number, which vary targets and moments.") var seeds = 3
    @Option(help: "sim: simulated fleets. live: processes of this machine, with real faults.")
    var mode = "sim"
    @Option(help: "Fleets that are simulated at once.") var jobs = 2
    @Option(help: "A folder for traces and for exports in the layouts of AIOpsLab, OpenRCA and RCAEval.")
    var export: String?
    @Option(help: "What replay says again: a folder that --export wrote, or one trace of it.") var traces:
        String?
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        var arguments = [
            "problem", "run", "--suite", suite.rawValue, "--agent", agent, "--seeds", "\(seeds)", "--mode",
            mode, "--jobs", "\(jobs)",
        ]
        if let problem { arguments += ["--problem", problem] }
        if let export { arguments += ["--export", export] }
        if let traces { arguments += ["--traces", traces] }
        let (data, said) = try await WorldProgram.answer(arguments)
        let decoder = JSONDecoder()
        let value = try decoder.decode(JSONValue.self, from: data)
        output.show(
            try Self.presentation(of: decoder.decode(SuiteResult.self, from: data), value), surroundings)
        // Sessions that were answered otherwise than before are told beside the result.
        if traces != nil, !said.isEmpty {
            throw CommandFailure(said.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return .done
    }

    static func presentation(of result: SuiteResult, _ value: JSONValue) -> Presentation {
        let totals = result.totals
        func percent(_ share: Double?) -> Text { Text(share.map { String(format: "%.1f", $0 * 100) } ?? "-") }
        func row(_ name: String, _ share: Proportion) -> [Text] {
            [
                Text(name), percent(share.value), percent(share.low), percent(share.high),
                Text("\(share.count)"),
            ]
        }
        let scores = Table(
            [
                .init("NAME"), .init("PERCENT", .always, .right), .init("LOW", .always, .right),
                .init("HIGH", .always, .right), .init("SESSIONS", .always, .right),
            ],
            [
                row("detect", totals.detect), row("localize1", totals.localize1),
                row("localize3", totals.localize3), row("analyze", totals.analyze),
                row("mitigate", totals.mitigate), row("harm", totals.harm),
                [Text("overall"), percent(totals.overall), "-", "-", Text("\(totals.sessions)")],
            ])
        let sessions = Table(
            [.init("NAME")] + Stage.allCases.map { .init($0.rawValue.uppercased(), .always, .right) },
            result.sessions.map { session in
                [Text(session.problem)]
                    + Stage.allCases.map { percent(session.grade($0)?.score) }
            })
        let refused = result.refused.map { "\($0.problem): \($0.message)" }
        var blocks: [Presentation.Block] = [.table(scores), .heading("Sessions"), .table(sessions)]
        if !refused.isEmpty { blocks += [.heading("Refused"), .lines(refused)] }
        return Presentation(blocks, names: result.sessions.map { "session/\($0.problem)" }, value: value)
    }
}
