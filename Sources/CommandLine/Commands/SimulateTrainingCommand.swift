internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay

struct SimulateTrainingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "training",
        abstract: "Runs the training jobs of a trace under one scheduler after another.",
        discussion: """
            Steps take what was measured for the model, plan and placement. rubick-n, rubick-e and rubick-r are \
            rubick without choosing plan and resources, resources alone, and the kind of plan.
            """)

    @Option(
        help: "File of name, submission_time, duration, application, num_gpus, num_cpus, exec_plan, steps.",
        completion: .file())
    var jobs: String
    @Option(
        help: "File of model, exec_plan, placement, iter_time_s, or a folder of files MODEL.csv.",
        completion: .file())
    var measured: String
    @Option(help: "Nodes of the cluster.") var nodes = 8
    @Option(help: "GPUs of every node.") var gpusPerNode = 8
    @Option(help: "Host threads of every node.") var cpus = 96
    @Option(help: "GiB of every node.") var mem = 1600
    @Option(help: "Schedulers to compare, separated by commas.")
    var policies =
        "fifo-backfill,easy,conservative,sjf,tiresias,synergy,sia,gavel,antman,rubick-n,rubick-e,rubick-r,rubick"
    @Option(help: "Seconds from a new shape to the next step.") var restartCost = 78.0
    @Option(help: "Share of a job's time that its changes of shape leave for work.") var gate = 0.97
    @Option(help: "Time after which a waiting job comes before all later ones, such as 6h.")
    var aging = "6h"
    @Option(help: "Share of jobs that are guaranteed, drawn by the seed; as in the file when absent.")
    var guaranteedShare: Double?
    @Option(help: "steps, or duration for jobs that take as long as submitted whatever their steps.")
    var work = "steps"
    @Option(help: "Seed of who is guaranteed.") var seed: UInt64 = 0
    @Flag(help: "Measure the time of rounds; the output then differs from run to run.")
    var measureTime = false
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name, or svg of one policy.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["svg"]),
        transform: { try FigureFormat.parse($0, extra: .svg, named: "svg") })
    var output: FigureFormat = .plain(.table)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            let experiment = try TrainingExperiment(options: try options)
            if case .svg = output, experiment.options.policies.count != 1 {
                throw CommandFailure("-o svg draws one policy: give --policies rubick")
            }
            try DocumentFile.requireFile(measured)
            let results = try experiment.run(
                try TrainingWorkloadReader().read(try UsageOptions.source(jobs)),
                try MeasuredSpeedReader().read(path: measured),
                clock: UptimeClock(uptime: surroundings.uptime))
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                options.show(try Self.presentation(of: results), surroundings)
            case .svg, .csv:
                for result in results {
                    surroundings.console.write(TrainingDrawing(result, gpus: nodes * gpusPerNode).text)
                }
            }
        }
        return .done
    }

    private var options: TrainingExperiment.Options {
        get throws {
            guard let work = TrainingExperiment.Options.Work(rawValue: work) else {
                throw OptionError(field: "work", value: work, expected: "steps or duration", nearest: "steps")
            }
            return TrainingExperiment.Options(
                nodes: nodes, gpusPerNode: gpusPerNode, threads: cpus, memoryGiB: mem,
                policies: try TrainingPolicyName.policies(parsing: policies), restartSeconds: restartCost,
                gate: gate, agingSeconds: Double(try DurationText.parse(aging).components.seconds),
                guaranteedShare: guaranteedShare, work: work, seed: seed, measuresTime: measureTime)
        }
    }

    /// One row, or one object of an array, per policy.
    static func presentation(of results: [TrainingResult]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("MEAN-JCT", .always, .right), .init("P99-JCT", .always, .right),
                .init("MAKESPAN", .always, .right), .init("GPU-USE", .always, .right),
                .init("RECONF/JOB", .always, .right), .init("VIOLATIONS", .always, .right),
                .init("GUARANTEED", .roomy, .right), .init("BEST-EFFORT", .roomy, .right),
                .init("UNFINISHED", .wide, .right), .init("ROUND-P99-MS", .wide, .right),
            ],
            results.map { result in
                [
                    Text(result.policy.rawValue), Text(seconds(result.meanJct)), Text(seconds(result.p99Jct)),
                    Text(seconds(result.makespan)), Text(Quantity.percent(result.gpuUtilPct)),
                    Text(String(format: "%.2f", result.reconfigurationsPerJob)),
                    Text(
                        String(result.guaranteeViolations), result.guaranteeViolations > 0 ? .warning : .plain
                    ),
                    Text(result.meanJctGuaranteed.map(seconds) ?? "-"),
                    Text(result.meanJctBestEffort.map(seconds) ?? "-"),
                    Text(String(result.unfinished), result.unfinished > 0 ? .warning : .plain),
                    Text(result.roundP99Ms.map { String(format: "%.2f", $0) } ?? "-"),
                ]
            })
        return Presentation(
            [.table(table)], names: results.map(\.policy.rawValue), value: try Serialization.tree(results))
    }

    private static func seconds(_ value: Double) -> String { String(format: "%.0fs", value) }
}
