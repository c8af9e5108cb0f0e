internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay

struct SimulatePredictorsCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "predictors",
        abstract: "Predicts the peak of one host's VMs step by step, beside the peak that came.")

    @Option(
        help: "File of t, vm, usage_cores, limit_cores, may be gzip; - is standard input.",
        completion: .file())
    var input: String
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
            let result = experiment.run(try HostUsageReader().read(try UsageOptions.source(input)))
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                options.show(try Self.presentation(of: result), surroundings)
            case .svg, .csv:
                surroundings.console.write(result.csv)
            }
        }
        return .done
    }

    /// One row per predictor: how often it was below the peak that came, and what it saved.
    static func presentation(of result: PredictionTable) throws -> Presentation {
        let judgements = result.judgements
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
