internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import LifetimeTraining
internal import Replay
internal import VMPlacement

struct SimulateGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Tries policies on traces, without a control plane.",
        subcommands: [
            SimulateVMsCommand.self, SimulateDrainCommand.self, SimulateOversubscriptionCommand.self,
            SimulateRatesCommand.self, SimulatePredictorsCommand.self, SimulatePowerCommand.self,
            SimulateServingCommand.self, SimulateTrainingCommand.self,
            SimulateFaultsCommand.self,
        ])
}

/// `--trace` and `--shard`, for commands that read a trace.
struct TraceOptions: ParsableArguments {
    @Option(help: "CSV file with arrive_s, depart_s, vcpu, mem_gb; - is standard input.", completion: .file())
    var trace: String?
    @Option(help: "Part K of N of the trace, as K/N.") var shard: String?

    /// - Parameter columns: further columns to keep, or to make of what the trace shows of projects.
    func read(columns: [String] = []) throws -> VMTrace {
        guard let trace else { throw CommandFailure("which trace? give --trace FILE") }
        return try CommandFailure.explaining {
            if trace != "-" { try DocumentFile.requireFile(trace) }
            let reader = VMTraceReader(
                shard: try shard.map { try Shard(parsing: $0) },
                columns: columns.isEmpty ? [] : columns + ["project", VMTrace.censoredColumn])
            return try reader.read(TraceSource(argument: trace)).addingHistory(columns)
        }
    }
}

extension CommandFailure {
    /// Names the flag as users know it.
    init(_ error: OptionError) {
        let flags = [
            "policy": "policies", "sample-step": "sample", "warm-up": "warmup", "host": "host-shape",
        ]
        var named = error
        named.field = "--" + (flags[error.field] ?? error.field)
        self.init(named.description)
    }

    /// Turns what simulations, traces and models complain of into one line.
    static func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as OptionError {
            throw CommandFailure(error)
        } catch let error as TraceError {
            throw CommandFailure(error.description)
        } catch let error as LifetimeModelError {
            throw CommandFailure(error.description)
        } catch let error as TrainingError {
            throw CommandFailure(error.description)
        }
    }
}

struct SimulateVMsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "vms", abstract: "Places the VMs of a trace on an empty fleet, once per policy.",
        discussion: """
            With --from-history the trace is what the fleet itself remembers, on its own hosts. The time before \
            --last, as long again, fills them; the first row is what really happened.
            """)

    @OptionGroup var traceOptions: TraceOptions
    @Flag(help: "Take the fleet's own VMs and hosts instead of a trace.") var fromHistory = false
    @OptionGroup var history: HistoryOptions
    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Hosts of the fleet.") var hosts = 300
    @Option(help: "vCPUs and GiB of every host.") var hostShape = "64x192"
    @Option(help: "Policies to compare, separated by commas.") var policies = "first-fit,best-fit"
    @Option(help: "Seconds of the trace that fill the fleet before anything is measured.") var warmup = 0
    @Option(help: "Second of the trace at which to stop; the last arrival when absent.") var until: Int?
    @Option(help: "Seconds between samples.") var sample = 3600
    @Option(help: "Seed of the oracle's errors.") var seed: UInt64 = 0
    @OptionGroup var lifetimes: LifetimeOptions
    @Flag(help: "Measure the time of decisions; the output then differs from run to run.")
    var measureTime = false
    @Flag(help: "Measure stranded CPU and memory and how many large VMs fit, which takes longer.")
    var stranding = false
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name, or svg FILE.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["svg"]), transform: SimulationOutput.parse)
    var output = SimulationOutput.shown(.table)
    @Argument(help: "File of the drawing of empty hosts over time, with -o svg.", completion: .file())
    var drawing: String?

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        guard !fromHistory else { return try await runOnHistory(surroundings) }
        try CommandFailure.explaining {
            guard (output == .drawn) == (drawing != nil) else {
                throw CommandFailure(
                    drawing.map { "\"\($0)\" is one word too many; -o svg FILE draws to a file" }
                        ?? "draw to which file? give -o svg FILE")
            }
            let experiment = try VMExperiment(options: try options)
            let trace = try traceOptions.read(columns: try lifetimes.prediction?.traceColumns() ?? [])
            try show(experiment, trace, actual: nil, surroundings)
        }
        return .done
    }

    /// The fleet's own VMs on its own hosts.
    private func runOnHistory(_ surroundings: Surroundings) async throws -> ExitStatus {
        guard traceOptions.trace == nil, traceOptions.shard == nil else {
            throw CommandFailure("give --trace or --from-history, not both")
        }
        let window = try DurationText.parse(history.last)
        let found = try await connection.connected(surroundings) { client, _ in
            try await history.read(client, span: window * 2)
        }
        guard !found.hosts.isEmpty else { throw CommandFailure("there are no hosts whose size is known") }
        try CommandFailure.explaining {
            var options = try options
            options.hosts = found.hosts.count
            options.fleet = found.hosts.map(\.usable)
            options.untilSeconds = max(1, found.seconds(at: found.now))
            let start = found.seconds(at: found.now.advanced(by: .zero - window))
            options.warmUpSeconds = min(start, max(0, (options.untilSeconds ?? 1) - 1))
            try show(
                try VMExperiment(options: options), found.trace,
                actual: ActualPlacements(found, options: options), surroundings)
        }
        return .done
    }

    private func show(
        _ experiment: VMExperiment, _ trace: VMTrace, actual: ActualPlacements?, _ surroundings: Surroundings
    ) throws {
        let results = try experiment.run(trace, clock: UptimeClock(uptime: surroundings.uptime))
        if let drawing {
            let text = EmptyHostsDrawing(results, options: experiment.options).text
            try OutputFile.write(Data(text.utf8), to: drawing)
        }
        surroundings.console.write(
            Renderer(format: output.format, surroundings).text(
                of: try Self.presentation(of: results, actual: actual)))
    }

    private var options: VMExperiment.Options {
        get throws {
            VMExperiment.Options(
                hosts: hosts, shape: try HostShape(parsing: hostShape),
                policies: try PolicyName.policies(parsing: policies), warmUpSeconds: warmup,
                untilSeconds: until, sampleStepSeconds: sample, measuresTime: measureTime,
                measuresStranding: stranding,
                prediction: try lifetimes.prediction, lifetimes: try lifetimes.settings, seed: seed)
        }
    }
}

/// How a simulation is shown: as other results, or drawn to a file, with the table besides.
enum SimulationOutput: Sendable, Equatable {
    case shown(OutputFormat)
    case drawn

    /// - Throws: a sentence with the nearest choice.
    static func parse(_ text: String) throws -> SimulationOutput {
        guard text != "svg" else { return .drawn }
        guard let format = OutputFormat(rawValue: text) else {
            let known = OutputFormat.allCases.map(\.rawValue) + ["svg"]
            throw ValidationError(NearestChoice.refusal("format", text, among: known))
        }
        return .shown(format)
    }

    var format: OutputFormat {
        guard case .shown(let format) = self else { return .table }
        return format
    }
}

extension SimulateVMsCommand {
    /// One row, or one object of an array, per policy, behind what really happened.
    static func presentation(
        of results: [PolicyResult], actual: ActualPlacements? = nil
    ) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("EMPTY-HOSTS", .always, .right), .init("DENSITY", .always, .right),
                .init("PLACED", .always, .right), .init("FAILED", .always, .right),
                .init("STRANDED-CPU", .wide, .right), .init("STRANDED-MEM", .wide, .right),
                .init("PREDICTIONS", .wide, .right), .init("CLASS-ACCURACY", .wide, .right),
                .init("DECISIONS/S", .always, .right), .init("P99-US", .always, .right),
            ],
            (actual.map { [row(of: $0)] } ?? []) + results.map(row))
        let items =
            try (actual.map { [try Serialization.tree($0)] } ?? [])
            + results.map { try Serialization.tree($0) }
        return Presentation(
            [.table(table)], names: (actual.map { [$0.policy] } ?? []) + results.map(\.policy.rawValue),
            value: .array(items))
    }

    private static func row(of actual: ActualPlacements) -> [Text] {
        [
            Text(actual.policy), Text(Quantity.percent(actual.emptyHostsPct)),
            Text(Quantity.percent(actual.densityPct)), Text(String(actual.placed)),
        ] + (0..<7).map { _ in Text("-") }
    }

    private static func row(of result: PolicyResult) -> [Text] {
        [
            Text(result.policy.rawValue), Text(Quantity.percent(result.emptyHostsPct)),
            Text(Quantity.percent(result.densityPct)), Text(String(result.placed)),
            Text(String(result.failed), result.failed > 0 ? .warning : .plain),
            Text(result.stranding.map { Quantity.percent($0.strandedCpuPct) } ?? "-"),
            Text(result.stranding.map { Quantity.percent($0.strandedMemPct) } ?? "-"),
            Text(result.predictionsPerPlacement.map { String($0) } ?? "-"),
            Text(result.classAccuracy.map { String($0) } ?? "-"),
            Text(result.decisionsPerSecond.map { String(Int($0)) } ?? "-"),
            Text(result.decisionP99Us.map { String(Int($0.rounded())) } ?? "-"),
        ]
    }
}
