internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay

struct SimulatePredictorsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "predictors",
        abstract: "Predicts the peaks of hosts step by step, beside the peaks that came.")

    @Option(
        help: "One host: file of t, vm, usage_cores, limit_cores, may be gzip; - is standard input.",
        completion: .file())
    var input: String?
    @Option(help: "Many hosts: a file as of simulate rates.", completion: .file()) var usage: String?
    @Option(help: "Hosts that the VMs of --usage are dealt out to.") var groups = 19
    @Option(help: "Steps of --usage before the first that is judged.") var warmUpSteps = 120
    @Option(help: "Seed of the order in which VMs are dealt out.") var seed: UInt64 = 42
    @Option(help: "Predictors, separated by commas; those joined by + are one, the greatest of them.")
    var predictors = "limit,n-sigma:5:24,n-sigma:5:120,vm:p99:120,machine:p98:120,max"
    @Option(help: "Samples from which on a VM is predicted.") var minSamples = 24
    @Option(help: "Steps that the oracle looks ahead.") var horizon = 288
    @Option(help: "Steps between two questions to the oracle.") var oracleEvery = 12
    @Option(help: "Steps of a day, for windows and half-lives.") var stepsPerDay = 288
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name or csv.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["csv"]),
        transform: { try FigureFormat.parse($0, extra: .csv, named: "csv") })
    var output: FigureFormat = .plain(.table)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            let experiment = try PredictionExperiment(
                options: .init(
                    predictors: try PredictorName.predictors(parsing: predictors), minimumSamples: minSamples,
                    horizon: horizon, oracleEvery: oracleEvery, stepsPerDay: stepsPerDay))
            switch (input, usage, output) {
            case (.some(let input), nil, .plain(let format)):
                try show(try run(experiment, input).judgements, format, surroundings)
            case (.some(let input), nil, _): surroundings.console.write(try run(experiment, input).csv)
            case (nil, .some(let usage), .plain(let format)):
                let trace = try UsageTraceReader().read(try UsageOptions.source(usage))
                let judgements = try experiment.judge(trace, hosts: groups, warmUp: warmUpSteps, seed: seed)
                try show(judgements, format, surroundings)
            case (nil, .some, _): throw CommandFailure("-o csv shows one host: give --input")
            default: throw CommandFailure("one host or many? give --input FILE or --usage FILE")
            }
        }
        return .done
    }

    private func run(_ experiment: PredictionExperiment, _ input: String) throws -> PredictionTable {
        experiment.run(try HostUsageReader().read(try UsageOptions.source(input)))
    }

    private func show(
        _ judgements: [PredictorJudgement], _ format: OutputFormat, _ surroundings: Surroundings
    ) throws {
        var options = OutputOptions()
        options.output = format
        options.show(try Self.presentation(of: judgements), surroundings)
    }

    /// One row per predictor: how often it was below the peak that came, and what it saved.
    static func presentation(of judgements: [PredictorJudgement]) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("VIOLATIONS", .always, .right), .init("SEVERITY", .always, .right),
                .init("SAVED", .always, .right),
            ],
            judgements.map { judgement in
                [
                    Text(judgement.predictor), Text(String(format: "%.4f", judgement.violationRate)),
                    Text(String(format: "%.4f", judgement.severity)),
                    Text(String(format: "%.4f", judgement.saved)),
                ]
            })
        return Presentation(
            [.table(table)], names: judgements.map(\.predictor), value: try Serialization.tree(judgements))
    }
}
