internal import Foundation
public import TrainingScheduling

/// A step whose time is asked for, with the measured one where it is known.
public struct StepCase: Sendable, Hashable {
    /// As in the file.
    public var model: String
    public var planName: String
    public var plan: ExecutionPlan
    public var nodes: Int
    public var threads: Int
    /// Milliseconds.
    public var forward: Double
    public var measured: Double?
}

/// Reads steps to predict: `model`, `plan`, `gpus`, `tp`, `pp`, `dp`, `cpu_threads`, `fwd_ms_input` and, if
/// it is there, `measured_iter_ms`.
///
/// Plans are `DP`, `GC`, `ZeRO-DP+GA` (which is measured and predicted as plain data parallelism),
/// `ZeRO-Offload`, `TP+PP` and `DP+TP+PP`.
public struct StepCaseReader: Sendable {
    private static let columns = ["model", "plan", "gpus", "tp", "pp", "dp", "fwd_ms_input"]
    private static let optional = ["cpu_threads", "measured_iter_ms"]
    private static let plans = ["DP", "GC", "ZeRO-DP+GA", "ZeRO-Offload", "TP+PP", "DP+TP+PP"]
    private static let degreeLimit = 100_000
    private static let millisecondLimit = 1e9

    /// GPUs of a node, from which the number of nodes follows.
    public var gpusPerNode: Int

    public init(gpusPerNode: Int = 8) { self.gpusPerNode = gpusPerNode }

    /// - Throws: `TraceError` for the first line that is not as described.
    public func read(_ source: TraceSource) throws(TraceError) -> [StepCase] {
        var fields = RowFields(file: source.name)
        var cases: [StepCase] = []
        try source.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.columns, optional: Self.optional) else {
                return
            }
            cases.append(try self.row(fields, line, number))
        }
        try fields.requireHeader(Self.columns)
        guard !cases.isEmpty else {
            throw TraceError(.empty, file: source.name, expected: "at least one step")
        }
        return cases
    }

    private func row(
        _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> StepCase {
        let degrees = 1...Self.degreeLimit
        let gpus = try fields.whole(2, line, number, in: degrees)
        let name = try fields.word(1, line, number)
        var plan = ExecutionPlan(
            data: try fields.whole(5, line, number, in: degrees),
            tensor: try fields.whole(3, line, number, in: degrees),
            pipeline: try fields.whole(4, line, number, in: degrees))
        switch name {
        case "DP", "ZeRO-DP+GA", "TP+PP", "DP+TP+PP": break
        case "GC": plan.checkpointing = true
        case "ZeRO-Offload": plan.sharding = .offload
        default:
            throw fields.refusal(1, line, number, expected: Self.plans.joined(separator: ", "))
        }
        let model = try fields.word(0, line, number)
        guard CatalogueModel.named(model) != nil else {
            let known = CatalogueModel.all.map(\.name)
            throw fields.refusal(0, line, number, expected: "one of \(known.joined(separator: ", "))")
        }
        return StepCase(
            model: model, planName: name, plan: plan, nodes: max(1, gpus / gpusPerNode),
            threads: fields.optionalText(0, line).flatMap { Int($0) } ?? 1,
            forward: try fields.real(
                6, line, number, in: 0...Self.millisecondLimit, expected: "milliseconds from 0 on"),
            measured: fields.optionalText(1, line).flatMap { Double($0) }.flatMap { $0 > 0 ? $0 : nil })
    }
}

/// Predicted steps beside measured ones.
public struct StepPredictions: Sendable, Hashable {
    public struct Row: Sendable, Hashable, Encodable {
        public var model: String
        public var plan: String
        public var gpus: Int
        public var predictedMs: Double
        /// nil where nothing was measured, as is the error.
        public var measuredMs: Double?
        public var errorPct: Double?
    }

    public let rows: [Row]

    /// - Parameter models: under the names of the file; those of the catalogue where there is none.
    public init(_ cases: [StepCase], models: [String: PerformanceModel] = [:]) {
        rows = cases.compactMap { item in
            let catalogue = CatalogueModel.named(item.model)
            guard let model = models[catalogue?.name ?? item.model] ?? catalogue?.performance else {
                return nil
            }
            let predicted = model.stepMilliseconds(
                item.plan, forward: item.forward, nodes: item.nodes, threads: item.threads)
            return Row(
                model: item.model, plan: item.planName, gpus: item.plan.gpus, predictedMs: predicted,
                measuredMs: item.measured, errorPct: item.measured.map { 100 * abs(predicted - $0) / $0 })
        }
    }

    /// Comma-separated, a line per step.
    public var csv: String {
        let lines = rows.map { row in
            let numbers = [
                String(format: "%.6f", row.predictedMs), row.measuredMs.map { "\($0)" } ?? "",
                row.errorPct.map { String(format: "%.3f", $0) } ?? "",
            ]
            return ([row.model, row.plan, String(row.gpus)] + numbers).joined(separator: ",")
        }
        let header = "model,plan,gpus,predicted_ms,measured_ms,abs_err_pct"
        return ([header] + lines).joined(separator: "\n") + "\n"
    }

    /// Mean error in percent by model and plan, in the order of the rows.
    public var errors: [PlanError] {
        var order: [PlanError.Key] = []
        var values: [PlanError.Key: [Double]] = [:]
        for row in rows {
            guard let error = row.errorPct else { continue }
            let key = PlanError.Key(model: row.model, plan: row.plan)
            if values[key] == nil { order.append(key) }
            values[key, default: []].append(error)
        }
        return order.map { key in
            let errors = values[key] ?? []
            return PlanError(
                model: key.model, plan: key.plan, meanPct: errors.reduce(0, +) / Double(max(errors.count, 1)),
                maxPct: errors.max() ?? 0)
        }
    }
}

/// How far predictions of one kind of plan are off.
public struct PlanError: Sendable, Hashable, Encodable {
    struct Key: Hashable {
        var model: String
        var plan: String
    }

    public var model: String
    public var plan: String
    public var meanPct: Double
    public var maxPct: Double
}
