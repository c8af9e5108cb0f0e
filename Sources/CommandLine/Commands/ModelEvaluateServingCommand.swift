internal import APITypes
internal import ArgumentParser
internal import Foundation
internal import Replay
internal import ServingPlanning

struct ModelEvaluateGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Judges models on what happened.",
        subcommands: [ModelEvaluateCommand.self, ModelEvaluateServingCommand.self],
        defaultSubcommand: ModelEvaluateCommand.self)
}

struct ModelEvaluateServingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "serving",
        abstract: "Judges the cost model of serving on measured times per token.",
        discussion: """
            Points of dense models on one engine count, where their precision was recorded. Errors are percent of \
            the measured time; SPEARMAN is the median over sweeps of at least six points.
            """)

    @Option(help: "File of measured points, may be gzip.", completion: .file()) var silicon: String
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try ServingFailure.wrap {
            let points = try SiliconReader().read(try UsageOptions.source(silicon))
            let rows = try SiliconExperiment(catalogue: try ServingCatalogue.seed()).judge(points)
            output.show(try Self.presentation(of: rows), surroundings)
        }
        return .done
    }

    static func presentation(of rows: [SiliconJudgement]) throws -> Presentation {
        func text(_ value: Double?) -> Text { Text(value.map { String(format: "%.3f", $0) } ?? "-") }
        func percent(_ value: Double) -> Text { Text(String(format: "%.2f%%", value)) }
        let table = Table(
            [
                .init("NAME"), .init("POINTS", .always, .right), .init("MAPE", .always, .right),
                .init("BIAS", .always, .right), .init("MEDIAN", .always, .right),
                .init("P90", .always, .right), .init("SPEARMAN", .always, .right),
                .init("WORST", .roomy, .right),
            ],
            rows.map { row in
                [
                    Text(row.name), Text("\(row.points)"), percent(row.mapePct), percent(row.biasPct),
                    percent(row.medianPct), percent(row.p90Pct), text(row.spearman),
                    text(row.worstSpearman),
                ]
            })
        return Presentation(
            [.table(table)], names: rows.map(\.name), value: try Serialization.tree(rows))
    }
}
