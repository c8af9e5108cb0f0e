internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Replay

struct SimulateGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Tries policies on traces, without a control plane.",
        subcommands: [
            SimulateVMsCommand.self, SimulateDrainCommand.self, SimulateOversubscriptionCommand.self,
            SimulateRatesCommand.self, SimulatePredictorsCommand.self,
        ])
}

/// `--trace` and `--shard`, for commands that read a trace.
struct TraceOptions: ParsableArguments {
    @Option(help: "CSV file with arrive_s, depart_s, vcpu, mem_gb; - is standard input.", completion: .file())
    var trace: String
    @Option(help: "Part K of N of the trace, as K/N.") var shard: String?

    func read() throws -> VMTrace {
        do {
            if trace != "-" { try DocumentFile.requireFile(trace) }
            return try VMTraceReader(shard: try shard.map { try Shard(parsing: $0) })
                .read(TraceSource(argument: trace))
        } catch let error as TraceError {
            throw CommandFailure(error.description)
        } catch let error as OptionError {
            throw CommandFailure(error)
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
}

struct SimulateVMsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "vms", abstract: "Places the VMs of a trace on an empty fleet, once per policy.")

    @OptionGroup var traceOptions: TraceOptions
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
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        do {
            let experiment = try VMExperiment(options: try options)
            let trace = try traceOptions.read()
            let clock = UptimeClock(uptime: surroundings.uptime)
            let results = try experiment.run(trace, clock: clock)
            output.show(try Self.presentation(of: results), surroundings)
        } catch let error as OptionError {
            throw CommandFailure(error)
        } catch let error as TraceError {
            throw CommandFailure(error.description)
        }
        return .done
    }

    private var options: VMExperiment.Options {
        get throws {
            VMExperiment.Options(
                hosts: hosts, shape: try HostShape(parsing: hostShape),
                policies: try PolicyName.policies(parsing: policies), warmUpSeconds: warmup,
                untilSeconds: until, sampleStepSeconds: sample, measuresTime: measureTime,
                prediction: try lifetimes.prediction, lifetimes: try lifetimes.settings, seed: seed)
        }
    }
}

extension SimulateVMsCommand {
    /// One row, or one object of an array, per policy.
    static func presentation(of results: [PolicyResult]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("EMPTY-HOSTS", .always, .right), .init("DENSITY", .always, .right),
                .init("PLACED", .always, .right), .init("FAILED", .always, .right),
                .init("PREDICTIONS", .wide, .right), .init("CLASS-ACCURACY", .wide, .right),
                .init("DECISIONS/S", .always, .right), .init("P99-US", .always, .right),
            ],
            results.map { result in
                [
                    Text(result.policy.rawValue), Text(Quantity.percent(result.emptyHostsPct)),
                    Text(Quantity.percent(result.densityPct)), Text(String(result.placed)),
                    Text(String(result.failed), result.failed > 0 ? .warning : .plain),
                    Text(result.predictionsPerPlacement.map { String($0) } ?? "-"),
                    Text(result.classAccuracy.map { String($0) } ?? "-"),
                    Text(result.decisionsPerSecond.map { String(Int($0)) } ?? "-"),
                    Text(result.decisionP99Us.map { String(Int($0.rounded())) } ?? "-"),
                ]
            })
        return Presentation(
            [.table(table)], names: results.map(\.policy.rawValue), value: try Serialization.tree(results))
    }
}
