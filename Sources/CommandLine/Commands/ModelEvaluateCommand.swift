internal import ArgumentParser
internal import Fleet
internal import LifetimeTraining
internal import Replay
internal import VMPlacement

struct ModelEvaluateCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "lifetimes",
        abstract: "Judges a model on VMs that started after its training, beside Kaplan-Meier.",
        discussion: """
            Kaplan-Meier learns from what the trace shows of the VMs that started before, as they were seen when \
            training ended, per project and size (km) and per size (km-size). Predictions are those at the start of \
            a VM.
            """)

    @OptionGroup var traceOptions: TraceOptions
    @Option(help: "File of the model.", completion: .file()) var model: String
    @Option(help: "Second of the trace from which on VMs are judged; the end of the training when absent.")
    var from: Double?
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        try CommandFailure.explaining {
            let file = try LifetimeModelFile(readingFile: model)
            let trace = try traceOptions.read(columns: file.featureNames)
            let rows = try Self.judge(file, on: trace.trainingVMs, from: from ?? file.training.until)
            output.show(try Self.presentation(of: rows), surroundings)
        }
        return .done
    }

    /// One model's figures.
    struct Row: Encodable {
        var model: String
        var judgement: LifetimeJudgement
    }

    static func judge(_ file: LifetimeModelFile, on vms: [TrainingVM], from: Double) throws -> [Row] {
        let later = vms.filter { $0.startedAt >= from }
        guard !later.isEmpty else {
            throw CommandFailure("no VM of the trace starts at \(from) s or later; try a smaller --from")
        }
        let earlier = vms.compactMap { $0.seen(at: from) }.map(\.observation)
        let cap = Duration.seconds(file.capSeconds)
        let horizon = earlier.reduce(0) { max($0, $1.seconds) } + file.capSeconds
        let models: [(String, any LifetimeModel)] = [
            ("gbdt", try file.model),
            (
                "km",
                StratifiedModel.kaplanMeier(
                    earlier, levels: [[.project, .size], [.project], [.size]], shape: .steps, horizon: horizon
                )
            ),
            ("km-size", StratifiedModel.kaplanMeier(earlier, shape: .steps, horizon: horizon)),
        ]
        return models.map { name, model in
            Row(model: name, judgement: LifetimeJudgement(later, by: LifetimePredictor(model, cap: cap)))
        }
    }

    static func presentation(of rows: [Row]) throws -> Presentation {
        func text(_ value: Double?) -> Text { Text(value.map { String($0) } ?? "-") }
        let table = Table(
            [
                .init("NAME"), .init("VMS", .always, .right), .init("C-INDEX", .always, .right),
                .init("F1-1D", .always, .right), .init("PRECISION-1D", .wide, .right),
                .init("RECALL-1D", .wide, .right), .init("CLASS-ACCURACY", .always, .right),
                .init("LOG-ERROR", .always, .right),
            ],
            rows.map { row in
                [
                    Text(row.model), Text(String(row.judgement.vms)), text(row.judgement.cIndex),
                    text(row.judgement.f1At1d), text(row.judgement.precision1d),
                    text(row.judgement.recall1d), text(row.judgement.classAccuracy),
                    text(row.judgement.logError),
                ]
            })
        return Presentation(
            [.table(table)], names: rows.map(\.model), value: try Serialization.tree(rows))
    }
}
