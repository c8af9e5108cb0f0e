internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay
internal import TrainingScheduling

struct ModelFitGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit", abstract: "Fits models to measurements.",
        subcommands: [ModelFitTrainingCommand.self])
}

struct ModelFitTrainingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "training", abstract: "Fits the time of a training step to measured ones.",
        discussion: """
            A model needs seven points, three of them with the optimizer on the host; what fewer leave open is \
            named as uncalibrated. Points that no parameters explain beside the others are left out.
            """)

    @Option(help: "Folder of MODEL.config.csv and MODEL.data.csv.", completion: .directory)
    var profile: String
    @Option(help: "Steps to predict with what was fitted, as of model predict training.", completion: .file())
    var test: String?
    @Option(help: "Searches, each from another start.") var starts = 30
    @Option(help: "Seed of the starts.") var seed: UInt64 = 0
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            guard (1...10_000).contains(starts) else {
                throw OptionError(
                    field: "starts", value: "\(starts)", expected: "1 to 10000",
                    nearest: starts < 1 ? "1" : "10000")
            }
            let settings = ParameterFit.Settings(starts: starts, seed: seed)
            let models = try TrainingProfileReader().read(folder: profile).compactMap {
                FittedModel($0, settings: settings)
            }
            let errors = try test.map { try Self.errors(of: models, $0) }
            output.show(try Self.presentation(of: models, errors), surroundings)
        }
        return .done
    }

    private static func errors(of models: [FittedModel], _ test: String) throws -> [PlanError] {
        var fitted: [String: PerformanceModel] = [:]
        for model in models { fitted[model.model] = model.performance }
        let cases = try StepCaseReader().read(try UsageOptions.source(test)).filter {
            fitted[CatalogueModel.named($0.model)?.name ?? ""] != nil
        }
        return StepPredictions(cases, models: fitted).errors
    }

    private struct Answer: Encodable {
        var models: [FittedModel]
        var errors: [PlanError]?
    }

    private static func presentation(of models: [FittedModel], _ errors: [PlanError]?) throws -> Presentation
    {
        let table = Table(
            [
                .init("NAME"), .init("RMSLE", .always, .right), .init("POINTS", .always, .right),
                .init("OUTLIERS", .always, .right), .init("UNCALIBRATED"),
            ] + PerformanceParameters.names.map { .init($0.uppercased(), .wide, .right) },
            models.map { model in
                [
                    Text(model.model), Text(String(format: "%.4f", model.fit.error)),
                    Text(String(model.fit.points)),
                    Text(optional: model.fit.outliers.map { String($0 + 1) }.joined(separator: ",")),
                    Text(optional: model.fit.uncalibrated.map(\.rawValue).joined(separator: ",")),
                ] + model.fit.parameters.values.map { Text(String(format: "%.4f", $0)) }
            })
        let tested = errors.map { Presentation.Block.table(ModelPredictTrainingCommand.table(of: $0)) }
        return Presentation(
            [.table(table)] + (tested.map { [.heading("Test:"), $0] } ?? []), names: models.map(\.model),
            value: try Serialization.tree(Answer(models: models, errors: errors)))
    }
}

struct ModelPredictGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Asks models for what they know.",
        subcommands: [ModelPredictTrainingCommand.self])
}

struct ModelPredictTrainingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "training", abstract: "Predicts training steps by the published parameters.")

    @Option(
        help: "File of model, plan, gpus, tp, pp, dp, cpu_threads, fwd_ms_input; - is standard input.",
        completion: .file())
    var input: String
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name or csv.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["csv"]),
        transform: { try FigureFormat.parse($0, extra: .csv, named: "csv") })
    var output: FigureFormat = .plain(.table)

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ExperimentFailure.wrap {
            let predictions = StepPredictions(try StepCaseReader().read(try UsageOptions.source(input)))
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                let value = try Serialization.tree(predictions.rows)
                let names = predictions.rows.map { "\($0.model)/\($0.plan)/\($0.gpus)" }
                let table = Self.table(of: predictions.errors)
                options.show(Presentation([.table(table)], names: names, value: value), surroundings)
            case .svg, .csv: surroundings.console.write(predictions.csv)
            }
        }
        return .done
    }

    static func table(of errors: [PlanError]) -> Table {
        Table(
            [
                .init("NAME"), .init("PLAN"), .init("MEAN-ERROR", .always, .right),
                .init("MAX-ERROR", .always, .right),
            ],
            errors.map { error in
                [
                    Text(error.model), Text(error.plan), Text(String(format: "%.2f%%", error.meanPct)),
                    Text(String(format: "%.2f%%", error.maxPct)),
                ]
            })
    }
}
