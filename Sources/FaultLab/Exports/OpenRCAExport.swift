internal import Fleet

/// OpenRCA's layout: `query.csv` and `record.csv` of a system, and telemetry by day.
public struct OpenRCAExport: Sendable {
    public var system: String

    public init(system: String = "Basalt") { self.system = system }

    /// - Parameter sessions: in the order of their starts; those without a fault are left out, since OpenRCA
    ///   asks for the causes of failures only.
    public func files(_ sessions: [(trace: SessionTrace, telemetry: SessionTelemetry)]) -> [ExportFile] {
        let failed = sessions.filter { $0.trace.problem.truth.hasFault && $0.trace.effectiveAt != nil }
        let queries = failed.enumerated().map { Self.query($0.offset, $0.element.trace) }
        let records = failed.map { Self.record($0.trace) }
        var files = [
            ExportFile(
                path: "\(system)/query.csv",
                contents: CommaSeparated.table(["task_index", "instruction", "scoring_points"], queries)),
            ExportFile(
                path: "\(system)/record.csv",
                contents: CommaSeparated.table(
                    ["level", "component", "timestamp", "datetime", "reason"], records)),
        ]
        let byDay = Dictionary(grouping: failed) { Self.day($0.trace.startedAt) }
        for (day, sessions) in byDay.sorted(by: { $0.key < $1.key }) {
            files += telemetry(sessions.map(\.telemetry), folder: "\(system)/telemetry/\(day)")
        }
        return files
    }

    private static func query(_ number: Int, _ trace: SessionTrace) -> [String] {
        let start = trace.startedAt
        let end = trace.endedAt ?? start
        let truth = trace.problem.truth
        let time = Self.moment(trace.armedAt ?? start)
        let points = [
            "The only root cause component is \(truth.components.map(\.description).joined(separator: " or "))",
            "The only root cause occurrence time is within 1 minutes (i.e., <=1min) of \(time)",
            "The only root cause reason is \(truth.mechanism)",
        ]
        return [
            "task_7",
            "Between \(moment(start)) and \(moment(end)) one failure happened. "
                + "Find the component, the time and the reason of its root cause.",
            points.joined(separator: "\n"),
        ]
    }

    private static func record(_ trace: SessionTrace) -> [String] {
        let truth = trace.problem.truth
        let at = trace.armedAt ?? trace.startedAt
        return [
            truth.components.first?.kind ?? "", truth.components.map(\.description).joined(separator: ";"),
            String(Int(at.seconds)), moment(at), truth.mechanism,
        ]
    }

    private func telemetry(_ telemetry: [SessionTelemetry], folder: String) -> [ExportFile] {
        let metrics = telemetry.flatMap(\.series).flatMap { series in
            series.values.enumerated().map { place, value in
                [
                    String(Int(series.time(of: place).seconds)), series.component.description, series.name,
                    String(value),
                ]
            }
        }
        let logs = telemetry.flatMap(\.logs).enumerated().map { number, line in
            [
                String(number), String(Int(line.at.seconds)), line.component.description, line.level,
                line.message,
            ]
        }
        let spans = telemetry.flatMap(\.spans).enumerated().map { number, span in
            [
                String(span.at.microseconds / 1000), span.service, String(number), span.operation,
                String(span.milliseconds), span.error ?? "",
            ]
        }
        return [
            ExportFile(
                path: "\(folder)/metric/metric_component.csv",
                contents: CommaSeparated.table(["timestamp", "cmdb_id", "kpi_name", "value"], metrics)),
            ExportFile(
                path: "\(folder)/log/log_service.csv",
                contents: CommaSeparated.table(
                    ["log_id", "timestamp", "cmdb_id", "log_name", "value"], logs)),
            ExportFile(
                path: "\(folder)/trace/trace_span.csv",
                contents: CommaSeparated.table(
                    ["timestamp", "cmdb_id", "span_id", "operation_name", "duration", "error"], spans)),
        ]
    }

    /// Such as `2026_01_31`.
    private static func day(_ time: Timestamp) -> String {
        String(time.description.prefix(10)).replacing("-", with: "_")
    }

    /// Such as `2026-01-31 08:00:00`.
    private static func moment(_ time: Timestamp) -> String {
        String(time.description.prefix(19)).replacing("T", with: " ")
    }
}
