internal import Fleet

/// RCAEval's layout: `data.csv` with a column `time` in seconds since 1970 and one `<component>_<metric>` per
/// series, and `inject_time.txt`.
public struct RCAEvalExport: Sendable {
    public init() {}

    public func files(_ trace: SessionTrace, _ telemetry: SessionTelemetry) -> [ExportFile] {
        let columns = telemetry.series.map { series in
            (name: "\(Self.word(series.component.description))_\(Self.word(series.name))", series: series)
        }.sorted { $0.name < $1.name }
        var rows: [Timestamp: [Int: Double]] = [:]
        for (index, column) in columns.enumerated() {
            for (place, value) in column.series.values.enumerated() {
                rows[column.series.time(of: place), default: [:]][index] = value
            }
        }
        let lines = rows.sorted { $0.key < $1.key }.map { time, values in
            [String(Int(time.seconds))] + columns.indices.map { values[$0].map { String($0) } ?? "" }
        }
        let injected = trace.armedAt.map { String(Int($0.seconds)) + "\n" } ?? ""
        return [
            ExportFile(
                path: "data.csv", contents: CommaSeparated.table(["time"] + columns.map(\.name), lines)),
            ExportFile(path: "inject_time.txt", contents: injected),
        ]
    }

    /// The last underscore parts component and metric, so that components have none.
    static func word(_ text: String) -> String {
        String(text.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "-" })
    }
}
