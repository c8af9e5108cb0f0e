internal import Foundation
public import TrainingScheduling

/// Measured seconds of a step, by model, plan and placement.
public struct MeasuredSpeeds: Sendable, Hashable {
    /// Every row with a time, in the order of the file.
    public private(set) var points: [String: [SpeedPoint]] = [:]

    /// Names of the models, in order.
    public var models: [String] { points.keys.sorted() }

    /// The best plan of every placement of a model.
    public func curve(_ model: String) -> SpeedCurve { SpeedCurve(points[model] ?? []) }

    mutating func add(_ point: SpeedPoint, of model: String) { points[model, default: []].append(point) }
}

/// Reads measured steps: one file with a column `model`, or a folder of files that are named after one.
///
/// Columns are `exec_plan`, `placement` (a digit per node, the GPUs on it) and `iter_time_s` or, in a folder,
/// `iter_time`, in seconds; a time of 0 means that the plan did not run. Threads and host memory are those
/// that the kind of plan needs.
public struct MeasuredSpeedReader: Sendable {
    /// Of the host per GPU, where the optimizer is there.
    public var offloadThreads: Int

    /// A step of a day would be a slip.
    private static let secondLimit = 86_400.0
    private static let columns = ["exec_plan", "placement"]

    public init(offloadThreads: Int = 8) { self.offloadThreads = offloadThreads }

    /// - Throws: `TraceError` for the first line that is not as described, and for a folder without tables.
    public func read(path: String) throws(TraceError) -> MeasuredSpeeds {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return try read([(nil, TraceSource(argument: path))])
        }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw TraceError(
                .unreadable, file: path, expected: "a readable folder", cause: error.localizedDescription)
        }
        let tables = names.filter { $0.hasSuffix(".csv") }.sorted()
        guard !tables.isEmpty else {
            throw TraceError(.empty, file: path, expected: "a folder with files MODEL.csv")
        }
        return try read(tables.map { (String($0.dropLast(4)), .file(path: path + "/" + $0)) })
    }

    /// - Parameter tables: each of one model, or with a column that names it.
    func read(_ tables: [(model: String?, source: TraceSource)]) throws(TraceError) -> MeasuredSpeeds {
        var speeds = MeasuredSpeeds()
        for (model, source) in tables {
            let columns = Self.columns + (model == nil ? ["model", "iter_time_s"] : ["iter_time"])
            var fields = RowFields(file: source.name)
            try source.forEachLine { (number, line) throws(TraceError) in
                guard try fields.split(line, number, columns: columns) else { return }
                guard let point = try point(fields, line, number, time: columns.count - 1) else { return }
                if let model {
                    speeds.add(point, of: model)
                } else {
                    speeds.add(point, of: try fields.word(2, line, number))
                }
            }
            try fields.requireHeader(columns)
        }
        guard !speeds.points.isEmpty else {
            throw TraceError(.empty, file: tables[0].source.name, expected: "at least one time above 0")
        }
        return speeds
    }

    /// nil for a plan that did not run.
    private func point(
        _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int, time: Int
    ) throws(TraceError) -> SpeedPoint? {
        let plan = try fields.word(0, line, number)
        let text = try fields.word(1, line, number)
        let placement = text.compactMap(\.wholeNumberValue)
        guard placement.count == text.count, placement.allSatisfy({ $0 > 0 }) else {
            throw fields.refusal(1, line, number, expected: "a digit from 1 to 9 per node")
        }
        let seconds = try fields.real(
            time, line, number, in: 0...Self.secondLimit, expected: "seconds from 0 to \(Self.secondLimit)")
        guard seconds > 0 else { return nil }
        let isOffload = plan.hasPrefix("zero-offload")
        return SpeedPoint(
            placement: placement, plan: plan, secondsPerStep: seconds,
            threadsPerGPU: isOffload ? offloadThreads : 1, memoryPerGPU: isOffload ? 16_384 : 2048)
    }
}
