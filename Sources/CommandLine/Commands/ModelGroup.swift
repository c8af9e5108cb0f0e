internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import LifetimeTraining
internal import Replay
internal import VMPlacement

struct ModelGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Trains, judges and keeps models of lifetimes, steps and serving.",
        subcommands: [
            ModelListCommand.self, ModelGetCommand.self, ModelPushCommand.self, ModelPullCommand.self,
            ModelPromoteCommand.self, ModelRollbackCommand.self, ModelDeleteCommand.self,
            ModelTrainCommand.self, ModelEvaluateGroup.self, ModelFitGroup.self, ModelPredictGroup.self,
        ])

    static let collection = Collection(.model)
}

struct ModelTrainCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fits boosted trees to the lifetimes of a trace.",
        discussion: """
            Size and uptime are always among the features. Of the VMs seen until --until, the last fifth to start \
            decides how many trees are kept. VMs with 1 in the column censored still ran when they were last seen. \
            Beside columns, features may be what the trace shows of the VM's project before it came: \
            recent_lifetime, latest_lifetime, running, batch and hour.
            """)

    @OptionGroup var traceOptions: TraceOptions
    @Option(help: "File of the model.", completion: .file()) var out: String
    @Option(help: "Columns to learn from beside the size, separated by commas, such as project.")
    var features: String?
    @Option(help: "Second of the trace after which nothing is looked at; its end when absent.")
    var until: Double?
    @Option(help: "Seed of the uptimes and of the rows of each tree.") var seed: UInt64 = 0
    @Option(help: "Trees, at most.") var trees = 300
    @Option(help: "Leaves of a tree, at most.") var leaves = 32
    @Option(help: "Longest lifetime that is distinguished, such as 7d.") var cap = "7d"
    @Option(help: "arithmetic for the expected lifetime left, geometric for the mean of its logarithm.")
    var mean = TrainingSettings.Mean.arithmetic.rawValue
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let (asked, vms) = try CommandFailure.explaining {
            let settings = try settings
            let trace = try traceOptions.read(columns: settings.features + [VMTrace.censoredColumn])
            return (settings, trace.trainingVMs)
        }
        let file: LifetimeModelFile
        do {
            file = try await LifetimeTrainer(settings: asked).train(
                vms, until: until ?? vms.reduce(0) { max($0, $1.startedAt + $1.observation.seconds) })
        } catch {
            throw CommandFailure(error.description)
        }
        try OutputFile.write(try CommandFailure.explaining { try file.data() }, to: out)
        output.show(try Self.presentation(of: file, name: out), surroundings)
        return .done
    }

    private var settings: TrainingSettings {
        get throws {
            guard (1...TrainingSettings.treeLimit).contains(trees) else {
                throw OptionError(
                    field: "trees", value: "\(trees)", expected: "1 to \(TrainingSettings.treeLimit)",
                    nearest: trees < 1 ? "1" : "\(TrainingSettings.treeLimit)")
            }
            guard (2...TrainingSettings.leafLimit).contains(leaves) else {
                throw OptionError(
                    field: "leaves", value: "\(leaves)", expected: "2 to \(TrainingSettings.leafLimit)",
                    nearest: leaves < 2 ? "2" : "\(TrainingSettings.leafLimit)")
            }
            guard let mean = TrainingSettings.Mean(rawValue: mean) else {
                throw OptionError(
                    field: "mean", value: self.mean, expected: "arithmetic or geometric",
                    nearest: "arithmetic")
            }
            let cap = try LifetimeCap(parsing: cap).duration?.inSeconds ?? LifetimePredictor.most
            let names = features?.split(separator: ",").map { $0.lowercased() } ?? []
            return TrainingSettings(
                features: names, seed: seed, trees: trees, leaves: leaves, capSeconds: cap, mean: mean)
        }
    }

    static func presentation(of file: LifetimeModelFile, name: String) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("VMS", .always, .right), .init("CENSORED", .always, .right),
                .init("EXAMPLES", .always, .right), .init("TREES", .always, .right),
                .init("ERROR", .always, .right), .init("DATA", .wide),
            ],
            [
                [
                    Text(name), Text(String(file.training.vms)), Text(String(file.training.censored)),
                    Text(String(file.training.examples)), Text(String(file.metrics.trees)),
                    Text(String(file.metrics.validationError)), Text(file.training.dataHash),
                ]
            ])
        return Presentation(
            [.table(table)], names: [name],
            value: try Serialization.tree(
                ModelSummary(
                    file: name, features: file.featureNames, training: file.training, metrics: file.metrics)))
    }
}

/// What `model train` says of what it made.
private struct ModelSummary: Encodable {
    var file: String
    var features: [String]
    var training: LifetimeModelFile.Training
    var metrics: LifetimeModelFile.Metrics
}

extension VMTrace {
    /// Every VM as training and judging see it.
    var trainingVMs: [TrainingVM] {
        vms.indices.map { TrainingVM(observation($0), startedAt: Double(vms[$0].arrival) / 1e6) }
    }
}
