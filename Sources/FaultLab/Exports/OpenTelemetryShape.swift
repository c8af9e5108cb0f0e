internal import Fleet

/// What was observed, with the names and forms of OpenTelemetry's JSON (OTLP 1.x), so that readers of it need
/// no new words: logs, gauges with their summaries, spans, and events as log records.
///
/// It stays as bounded as the observation is.
public enum OpenTelemetryShape {
    /// Nil of what is neither log, metric, span nor event.
    public static func of(_ content: ObservedContent) -> ActionValue? {
        switch content {
        case .logs(let lines): logs(lines)
        case .metrics(let series): metrics(series)
        case .spans(let spans): traces(spans)
        case .events(let events): eventRecords(events)
        case .message, .alerts, .rows: nil
        }
    }

    private static func logs(_ lines: [LogLine]) -> ActionValue {
        grouped(
            "resourceLogs", "scopeLogs", "logRecords",
            lines.map { line in
                (
                    line.component,
                    .mapping([
                        "timeUnixNano": nanoseconds(line.at), "severityText": .text(line.level.uppercased()),
                        "severityNumber": .integer(severity(line.level)), "body": value(.text(line.message)),
                        "attributes": attributes(["repeated": .integer(line.times)]),
                    ])
                )
            })
    }

    private static func eventRecords(_ events: [EventLine]) -> ActionValue {
        grouped(
            "resourceLogs", "scopeLogs", "logRecords",
            events.map { event in
                (
                    event.component,
                    .mapping([
                        "timeUnixNano": nanoseconds(event.at), "eventName": .text(event.reason),
                        "severityText": .text("INFO"), "severityNumber": .integer(9),
                        "body": value(.text(event.message)),
                    ])
                )
            })
    }

    private static func metrics(_ series: [MetricSummary]) -> ActionValue {
        grouped(
            "resourceMetrics", "scopeMetrics", "metrics",
            series.flatMap { summary in
                [
                    (summary.component, gauge(summary)), (summary.component, quantiles(summary)),
                ]
            })
    }

    private static func gauge(_ summary: MetricSummary) -> ActionValue {
        let points: [ActionValue] = summary.points.enumerated().map { index, point in
            let back = (summary.points.count - 1 - index) * summary.stepSeconds
            return .mapping([
                "timeUnixNano": nanoseconds(summary.end.advanced(by: .seconds(-back))),
                "asDouble": .number(point),
            ])
        }
        return .mapping([
            "name": .text(summary.name), "gauge": .mapping(["dataPoints": .list(points)]),
        ])
    }

    private static func quantiles(_ summary: MetricSummary) -> ActionValue {
        let values = [(0, summary.least), (0.5, summary.median), (0.95, summary.high), (1, summary.most)]
        let point: ActionValue = .mapping([
            "timeUnixNano": nanoseconds(summary.end),
            "quantileValues": .list(
                values.map { .mapping(["quantile": .number($0.0), "value": .number($0.1)]) }),
        ])
        return .mapping([
            "name": .text(summary.name + ".summary"),
            "summary": .mapping(["dataPoints": .list([point])]),
        ])
    }

    private static func traces(_ spans: [TraceSpan]) -> ActionValue {
        grouped(
            "resourceSpans", "scopeSpans", "spans",
            spans.map { span in
                let end = span.at.advanced(by: .microseconds(Int64(span.milliseconds * 1000)))
                let failed: ActionValue = .mapping([
                    "code": .integer(2), "message": .text(span.error ?? ""),
                ])
                var record: [String: ActionValue] = [
                    "name": .text(span.operation), "startTimeUnixNano": nanoseconds(span.at),
                    "endTimeUnixNano": nanoseconds(end), "kind": .integer(3),
                    "status": span.error == nil ? .mapping(["code": .integer(1)]) : failed,
                ]
                if let trace = span.trace {
                    record["traceId"] = .text(identifier(trace, digits: 32))
                    record["spanId"] = .text(
                        identifier("\(trace) \(span.operation) \(span.at.microseconds)", digits: 16))
                }
                return (ComponentName(span.service), .mapping(record))
            })
    }

    /// A UUID as it is, and anything else by a hash (FNV-1a, once for each 16 digits): the same text has the
    /// same id in every answer.
    private static func identifier(_ text: String, digits: Int) -> String {
        let plain = text.lowercased().filter { $0 != "-" }
        if plain.count == digits, plain.allSatisfy({ $0.isHexDigit && $0.isASCII }) { return plain }
        var id = ""
        for round in 0..<UInt64(digits / 16) {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ round
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            let part = String(hash, radix: 16)
            id += String(repeating: "0", count: 16 - part.count) + part
        }
        return id
    }

    // MARK: - Forms

    /// Records below their resources, which keep the order in which they come first.
    private static func grouped(
        _ resources: String, _ scopes: String, _ records: String, _ items: [(ComponentName, ActionValue)]
    ) -> ActionValue {
        var order: [ComponentName] = []
        var byComponent: [ComponentName: [ActionValue]] = [:]
        for (component, item) in items {
            if byComponent[component] == nil { order.append(component) }
            byComponent[component, default: []].append(item)
        }
        return .mapping([
            resources: .list(
                order.map { component in
                    .mapping([
                        "resource": .mapping([
                            "attributes": attributes(["service.name": .text(component.description)])
                        ]),
                        scopes: .list([
                            .mapping([
                                "scope": .mapping(["name": .text("basalt")]),
                                records: .list(byComponent[component] ?? []),
                            ])
                        ]),
                    ])
                })
        ])
    }

    private static func attributes(_ values: [String: ActionValue]) -> ActionValue {
        .list(
            values.sorted { $0.key < $1.key }.map {
                .mapping(["key": .text($0.key), "value": value($0.value)])
            })
    }

    private static func value(_ value: ActionValue) -> ActionValue {
        switch value {
        // JSON of OTLP writes whole numbers of 64 bits as texts.
        case .integer(let number): .mapping(["intValue": .text(String(number))])
        case .number(let number): .mapping(["doubleValue": .number(number)])
        case .bool(let flag): .mapping(["boolValue": .bool(flag)])
        default: .mapping(["stringValue": value])
        }
    }

    private static func nanoseconds(_ time: Timestamp) -> ActionValue {
        .text(String(time.microseconds) + "000")
    }

    /// OTLP's numbers of severity.
    private static func severity(_ level: String) -> Int {
        switch level.lowercased() {
        case "trace": 1
        case "debug": 5
        case "info": 9
        case "notice": 10
        case "warning": 13
        case "error": 17
        case "critical": 21
        default: 0
        }
    }
}
