internal import Foundation
public import TrainingScheduling

/// Measured steps of one model.
public struct TrainingProfile: Sendable, Hashable {
    public var model: CatalogueModel
    public var points: [ProfilePoint]
}

/// Reads a folder of profiles: for each model `NAME.config.csv` and `NAME.data.csv`, a line of one for each
/// line of the other.
///
/// The first has `gpus`, `num_cpu_threads` and `zero_type` (0 none, 1 offload, 2 sharded); the second
/// `forward_time` and `iter_time` in milliseconds, and `strategy`, whose first two digits are how often a
/// step runs forward and back.
public struct TrainingProfileReader: Sendable {
    private static let shapes = ["gpus", "num_cpu_threads", "zero_type", "nodes"]
    private static let times = ["forward_time", "iter_time", "strategy"]
    private static let millisecondLimit = 1e9

    public init() {}

    /// - Returns: profiles in the order of their names; models that the catalogue does not know are refused.
    /// - Throws: `TraceError`.
    public func read(folder: String) throws(TraceError) -> [TrainingProfile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw TraceError(
                .unreadable, file: folder, expected: "a readable folder", cause: error.localizedDescription)
        }
        let suffix = ".config.csv"
        let found = names.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }.sorted()
        guard !found.isEmpty else {
            throw TraceError(.empty, file: folder, expected: "a folder with files NAME\(suffix)")
        }
        var profiles: [TrainingProfile] = []
        for name in found { profiles.append(try profile(name, folder)) }
        return profiles
    }

    private func profile(_ name: String, _ folder: String) throws(TraceError) -> TrainingProfile {
        let file = "\(folder)/\(name).config.csv"
        guard let model = CatalogueModel.named(name) else {
            let known = CatalogueModel.all.map(\.name)
            throw TraceError(
                .badValue, file: file, value: name, expected: "one of \(known.joined(separator: ", "))")
        }
        let plans = try plans(.file(path: file))
        let steps = try steps(.file(path: "\(folder)/\(name).data.csv"))
        guard plans.count == steps.count else {
            throw TraceError(
                .missingField, file: "\(folder)/\(name).data.csv", value: "\(steps.count) lines",
                expected: "as many lines as \(name).config.csv has, \(plans.count)")
        }
        let points = zip(plans, steps).map { shape, time in
            var plan = shape.plan
            plan.checkpointing = time.forwards > time.backwards
            plan.accumulation = max(1, time.backwards)
            return ProfilePoint(
                plan: plan, nodes: shape.nodes, threads: shape.threads, forward: time.forward, step: time.step
            )
        }
        return TrainingProfile(model: model, points: points)
    }

    private func plans(
        _ source: TraceSource
    ) throws(TraceError) -> [(plan: ExecutionPlan, nodes: Int, threads: Int)] {
        var fields = RowFields(file: source.name)
        var plans: [(plan: ExecutionPlan, nodes: Int, threads: Int)] = []
        try source.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.shapes) else { return }
            let gpus = try fields.whole(0, line, number, in: 1...100_000)
            let kinds: [ExecutionPlan.Sharding] = [.none, .offload, .sharded]
            let kind = try fields.whole(2, line, number, in: 0...2)
            plans.append(
                (
                    ExecutionPlan(data: gpus, sharding: kinds[kind]),
                    try fields.whole(3, line, number, in: 1...100_000),
                    try fields.whole(1, line, number, in: 1...100_000)
                ))
        }
        try fields.requireHeader(Self.shapes)
        return plans
    }

    private struct Times {
        var forward: Double
        var step: Double
        var forwards: Int
        var backwards: Int
    }

    private func steps(_ source: TraceSource) throws(TraceError) -> [Times] {
        var fields = RowFields(file: source.name)
        var steps: [Times] = []
        let range = 0...Self.millisecondLimit
        try source.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.times) else { return }
            let digits = try fields.word(2, line, number).compactMap(\.wholeNumberValue)
            guard digits.count >= 2 else {
                throw fields.refusal(2, line, number, expected: "at least two digits")
            }
            steps.append(
                Times(
                    forward: try fields.real(0, line, number, in: range, expected: "milliseconds from 0 on"),
                    step: try fields.real(1, line, number, in: range, expected: "milliseconds from 0 on"),
                    forwards: digits[0], backwards: digits[1]))
        }
        try fields.requireHeader(Self.times)
        return steps
    }
}

/// The fitted parameters of one model.
public struct FittedModel: Sendable, Hashable, Encodable {
    public var model: String
    public var fit: ParameterFit

    /// - Returns: nil for a profile without a point that can be used.
    public init?(_ profile: TrainingProfile, settings: ParameterFit.Settings) {
        let performance = profile.model.performance
        guard
            let fit = ParameterFit(
                profile.points, model: performance.model, constants: performance.constants, settings: settings
            )
        else { return nil }
        model = profile.model.name
        self.fit = fit
    }

    /// Predicts with what was fitted.
    public var performance: PerformanceModel? {
        var performance = CatalogueModel.named(model)?.performance
        performance?.parameters = fit.parameters
        return performance
    }
}
