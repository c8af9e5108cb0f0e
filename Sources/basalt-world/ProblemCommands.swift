internal import ArgumentParser
internal import Client
internal import FaultLab
internal import Fleet
internal import Foundation
internal import LiveLab
internal import ProgramShell
internal import World

/// What `basalt problem run` runs.
struct ProblemGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "problem", abstract: "Put problems to agents.", subcommands: [ProblemRunCommand.self])
}

struct ProblemRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Put a suite of problems to a scripted agent and grade it.")

    enum SuiteName: String, ExpressibleByArgument, CaseIterable { case smoke, lite, full }

    @Option(help: "smoke, lite or full.")
    var suite = SuiteName.smoke
    @Option(help: "These problems only, such as AG-01,DB-07, each with its paired no-op.")
    var problem: String?
    @Option(help: "oracle, dummy, always-yes, random, rulebook, nsigma, saboteur, stuck or replay.")
    var agent = AgentName.oracle
    @Option(help: "How many seeds: 1, 2, … up to the number.")
    var seeds = 3
    enum Mode: String, ExpressibleByArgument, CaseIterable { case sim, live }

    @Option(help: "sim: simulated fleets. live: one fleet of processes of this machine, with real faults.")
    var mode = Mode.sim
    @Option(help: "Fleets that are simulated at once.")
    var jobs = 2
    @Option(help: "A folder for the traces and the exports of AIOpsLab, OpenRCA and RCAEval.")
    var export: String?
    @Option(help: "What replay says again: a folder that --export wrote, or one trace of it.")
    var traces: String?
    @Option(name: [.customShort("o"), .long], help: "table or json.")
    var output = Program.Output.table

    func validate() throws {
        guard (agent == .replay) == (traces != nil) else {
            throw ValidationError("--agent replay and --traces belong together")
        }
        guard traces == nil || mode == .sim else {
            throw ValidationError("--traces are played again with --mode sim alone")
        }
        guard (1...1000).contains(seeds) else { throw ValidationError("--seeds lies between 1 and 1000") }
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs lies between 1 and 64") }
    }

    func run() async throws {
        let seeds = (1...UInt64(seeds)).map { $0 }
        let agent = agent
        let suite = Suite(rawValue: suite.rawValue) ?? .smoke
        let pool = try ProblemPool.seed()
        let templates =
            try problem.map { try $0.split(separator: ",").map { try pool.template(String($0)) } }
            ?? pool.problems(of: suite)
        if let traces { return try await replay(traces, suite) }
        let (result, outcomes) =
            switch mode {
            case .sim:
                try await ProblemRun.suite(
                    suite, of: templates, seeds: seeds, name: agent.rawValue, jobs: jobs
                ) { agent.make($0, $1) }
            case .live: try await Self.live(suite, templates, seeds, agent)
            }
        try show(result, outcomes)
    }

    private func replay(_ traces: String, _ suite: Suite) async throws {
        let (outcomes, differences) = try await ReplayRun(place: traces).play(problem)
        let result = SuiteResult(
            suite: suite, seeds: Set(outcomes.map(\.grade.seed)).sorted(), mode: "sim", agent: agent.rawValue,
            sessions: outcomes.map(\.grade), refused: [])
        try show(result, outcomes)
        for difference in differences { Console.error(difference) }
        if !differences.isEmpty { throw ExitCode.failure }
    }

    private func show(_ result: SuiteResult, _ outcomes: [SessionRunner.Outcome]) throws {
        if let export { try Export(folder: export).write(outcomes) }
        switch output {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            Console.write(String(decoding: try encoder.encode(result), as: UTF8.self))
        case .table: Console.write(result.table)
        }
    }
}

extension ProblemRunCommand {
    /// One fleet for all problems, as it takes seconds to make one.
    private static func live(
        _ suite: Suite, _ templates: [ProblemTemplate], _ seeds: [UInt64], _ agent: AgentName
    ) async throws -> (SuiteResult, [SessionRunner.Outcome]) {
        let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().path
        let seams = ClientSeams(
            sleep: SystemSeams.sleep, random: SystemSeams.random, ids: SystemSeams.ids)
        return try await LiveFleet.run(LiveFleet.Options(programs: programs), seams: seams) {
            fleet in
            try await LiveRun.suite(
                suite, of: templates, seeds: seeds, name: agent.rawValue, on: fleet,
                now: SystemSeams.now,
                note: { Console.error($0) }
            ) { agent.make($0, $1) }
        }
    }
}

enum AgentName: String, ExpressibleByArgument, CaseIterable {
    case oracle, dummy, random, rulebook, nsigma, saboteur, stuck, replay
    case alwaysYes = "always-yes"

    func make(_ number: Int, _ problem: Problem) -> any ScriptedAgent {
        switch self {
        case .oracle: OracleAgent(problem)
        case .dummy: ConstantAgent.dummy
        case .alwaysYes: ConstantAgent.alwaysYes
        case .random: RandomAgent(seed: problem.seed &* 1000 &+ UInt64(number))
        case .rulebook: RuleBookAgent()
        case .nsigma: NSigmaAgent()
        // A problem and its no-op get the same trick.
        case .saboteur: SaboteurAgent(number: number / 2)
        // What it says again comes from traces; without one there is nothing to say.
        case .stuck, .replay: StuckAgent()
        }
    }
}

/// Where traces and exports go.
struct Export {
    var folder: String

    func write(_ outcomes: [SessionRunner.Outcome]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        var files = OpenRCAExport().files(outcomes.map { ($0.trace, $0.telemetry) })
            .map { (path: "openrca/\($0.path)", contents: $0.contents) }
        for outcome in outcomes {
            let name = outcome.trace.problem.name.replacing("#", with: "-")
            files.append(
                ("traces/\(name).json", String(decoding: try encoder.encode(outcome.trace), as: UTF8.self)))
            files += RCAEvalExport().files(outcome.trace, outcome.telemetry)
                .map { ("rcaeval/\(name)/\($0.path)", $0.contents) }
            files += try AIOpsLabExport().files(outcome.trace, outcome.grade, id: name)
                .map { ("aiopslab/\($0.path)", $0.contents) }
        }
        for file in files {
            let url = URL(filePath: folder).appending(path: file.path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.contents.utf8).write(to: url)
        }
    }
}

extension SuiteResult {
    /// For people.
    var table: String {
        func text(_ share: Proportion) -> String {
            guard let value = share.value, let low = share.low, let high = share.high else { return "-" }
            return String(
                format: "%5.1f %%  (%.1f to %.1f, n %d)", value * 100, low * 100, high * 100, share.count)
        }
        func seconds(_ value: Double?) -> String { value.map { String(format: "%.0f s", $0) } ?? "-" }
        var lines = [
            "agent       \(totals.agent)", "sessions    \(totals.sessions)",
            "detect      \(text(totals.detect))", "localize1   \(text(totals.localize1))",
            "localize3   \(text(totals.localize3))", "analyze     \(text(totals.analyze))",
            "mitigate    \(text(totals.mitigate))",
            "overall     \(totals.overall.map { String(format: "%5.1f %%", $0 * 100) } ?? "-")",
            "harm        \(text(totals.harm))",
            "TTD \(seconds(totals.ttd))  TTL \(seconds(totals.ttl))  TTA \(seconds(totals.tta))  "
                + "TTM \(seconds(totals.ttm))",
        ]
        if let sustainShare {
            lines.append(String(format: "well for    %.0f %% of the problems' windows", sustainShare * 100))
        }
        for session in sessions {
            let scores = session.stages.map { "\($0.stage.rawValue) \($0.score)" }.joined(separator: ", ")
            let why = session.grade(.mitigation)?.shortcomings.first.map { " (\($0))" } ?? ""
            lines.append("  \(session.problem): \(scores)\(why)")
        }
        lines += refused.map { "  refused: \($0.message) [\($0.problem)]" }
        return lines.joined(separator: "\n")
    }
}
