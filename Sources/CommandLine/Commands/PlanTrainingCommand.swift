internal import APITypes
internal import ArgumentParser
internal import Fleet
internal import Foundation
internal import Replay
internal import TrainingScheduling

struct PlanTrainingCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "training",
        abstract: "Shows the best plan of a model for every number of GPUs, or the future of a pool's jobs.",
        discussion: """
            With --pool, the pool's own scheduler is played forward on what the controllers know, as it is \
            and with the hosts of --hosts and the jobs of -f; nothing is changed. -o svg draws what its jobs \
            held so far instead.

            Without --measured, steps are predicted and plans that do not fit a GPU are left out. A number of \
            GPUs is worth having when it is faster than all smaller ones by more than a hundredth; SLOPE is what \
            each further GPU brings on the way to the best of the larger ones.
            """)

    @Option(help: "Name of the model.") var model: String?
    @Option(help: "Pool whose jobs are asked about, instead of --model.") var pool: String?
    @Option(help: "With --pool: hosts that there would be more, like the largest.") var hosts = 0
    @Option(help: "With --pool: device model of the further hosts; any when absent.") var deviceModel: String?
    @OptionGroup var files: FileOptions
    @OptionGroup var projectOption: ProjectOption
    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Most GPUs that are tried.") var gpus = 8
    @Option(help: "Host threads per GPU, for plans whose optimizer is on the host.") var threads = 8
    @Option(help: "GPUs of a node.") var gpusPerNode = 8
    @Option(help: "GiB of a GPU.") var gpuMemory = 80.0
    @Option(
        help: "Measured steps instead of predictions: a file or folder as of simulate training.",
        completion: .file())
    var measured: String?
    @Option(
        name: [.short, .customLong("output")], help: "table, wide, json, yaml, name or svg.",
        completion: .list(OutputFormat.allCases.map(\.rawValue) + ["svg"]),
        transform: { try FigureFormat.parse($0, extra: .svg, named: "svg") })
    var output: FigureFormat = .plain(.table)

    func validate() throws {
        guard (model == nil) != (pool == nil) else {
            throw ValidationError("give --model for a curve, or --pool for what becomes of its jobs")
        }
        if pool == nil, hosts != 0 || deviceModel != nil || !files.file.isEmpty {
            throw ValidationError("--hosts, --device-model and -f go with --pool")
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        if let pool { return try await preview(of: pool, surroundings) }
        guard let model else { return .done }
        try ExperimentFailure.wrap {
            let curve = try curve(of: model)
            switch output {
            case .plain(let format):
                var options = OutputOptions()
                options.output = format
                options.show(try Self.presentation(of: CurveRow.rows(of: curve)), surroundings)
            case .svg, .csv: surroundings.console.write(SpeedCurveDrawing(model, curve).text)
            }
        }
        return .done
    }

    private func curve(of model: String) throws -> SpeedCurve {
        let limits = [
            ("gpus", gpus, 4096), ("threads", threads, 4096), ("gpus-per-node", gpusPerNode, 64),
        ]
        for (name, value, limit) in limits where !(1...limit).contains(value) {
            throw OptionError(
                field: name, value: "\(value)", expected: "1 to \(limit)",
                nearest: "\(min(max(value, 1), limit))")
        }
        if let measured {
            try DocumentFile.requireFile(measured)
            let speeds = try MeasuredSpeedReader(offloadThreads: threads).read(path: measured)
            try Self.require(model, among: speeds.models)
            return speeds.curve(model).filtered { $0.gpus <= gpus }
        }
        guard let known = CatalogueModel.named(model) else {
            throw Self.unknown(model, among: CatalogueModel.all.map(\.name))
        }
        return PlanSearch(known, gpuGiB: gpuMemory, gpusPerNode: gpusPerNode)
            .curve(gpus: gpus, threads: threads)
    }

    private static func require(_ model: String, among names: [String]) throws {
        guard names.contains(model) else { throw unknown(model, among: names) }
    }

    private static func unknown(_ model: String, among names: [String]) -> CommandFailure {
        CommandFailure(NearestChoice.refusal("model", model, among: names))
    }

    static func presentation(of rows: [CurveRow]) throws -> Presentation {
        let table = Table(
            [
                .init("GPUS", .always, .right), .init("PLACEMENT"), .init("PLAN"),
                .init("STEP-S", .always, .right), .init("STEPS/S", .always, .right),
                .init("SLOPE", .always, .right), .init("THREADS", .roomy, .right), .init("WORTH"),
            ],
            rows.map { row in
                [
                    Text(String(row.gpus)), Text(row.placement), Text(row.plan),
                    Text(String(format: "%.4f", row.secondsPerStep)),
                    Text(String(format: "%.4f", 1 / row.secondsPerStep)),
                    Text(String(format: "%.2e", row.slope)), Text(String(row.threadsPerGPU)),
                    Text(row.isWorthIt ? "yes" : "no"),
                ]
            })
        return Presentation(
            [.table(table)], names: rows.map { String($0.gpus) }, value: try Serialization.tree(rows))
    }
}

/// The best plan for one number of GPUs.
struct CurveRow: Sendable, Encodable {
    var gpus: Int
    /// GPUs per node, such as `8+8`.
    var placement: String
    var plan: String
    var secondsPerStep: Double
    /// Steps per second and GPU to the best larger number.
    var slope: Double
    var threadsPerGPU: Int
    var isWorthIt: Bool

    static func rows(of curve: SpeedCurve) -> [CurveRow] {
        let kept = Set(curve.breakpoints().map(\.gpus))
        return Set(curve.points.map(\.gpus)).sorted().compactMap { gpus in
            guard let point = curve.best(gpus: gpus) else { return nil }
            return CurveRow(
                gpus: gpus, placement: point.placement.map(String.init).joined(separator: "+"),
                plan: point.plan, secondsPerStep: point.secondsPerStep, slope: curve.bestSlope(from: gpus),
                threadsPerGPU: point.threadsPerGPU, isWorthIt: kept.contains(gpus))
        }
    }
}
