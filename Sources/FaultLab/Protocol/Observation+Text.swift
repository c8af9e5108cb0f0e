internal import Foundation

extension Observation {
    /// Bytes of a text that an agent is shown.
    public static let longestText = 32 * 1024

    /// What an agent that reads texts is shown; cut at whole lines.
    public func text(bytes: Int = Observation.longestText) -> String {
        let lines = content.lines
        var size = 0
        var shown: [String] = []
        for line in lines {
            size += line.utf8.count + 1
            guard size <= bytes else { break }
            shown.append(line)
        }
        if shown.count < lines.count {
            shown.append("… \(lines.count - shown.count) more lines; ask for less.")
        } else if isTruncated {
            shown.append(cursor.map { "… more: cursor=\($0)." } ?? "… more; ask for less.")
        }
        if status != .ok { shown.insert("[\(status.rawValue)]", at: 0) }
        return shown.joined(separator: "\n")
    }
}

extension ObservedContent {
    fileprivate var lines: [String] {
        switch self {
        case .message(let text):
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        case .alerts(let alerts):
            alerts.isEmpty
                ? ["No alert fires."]
                : alerts.map { "\($0.since) \($0.name) \($0.component): \($0.text)" }
        case .logs(let lines):
            lines.isEmpty
                ? ["No lines."]
                : lines.map { line in
                    let times = line.times > 1 ? " (\(line.times) times)" : ""
                    return "\(line.at) \(line.level) \(line.component): \(line.message)\(times)"
                }
        case .metrics(let series):
            series.isEmpty ? ["No series."] : series.map(\.line)
        case .spans(let spans):
            spans.isEmpty
                ? ["No spans."]
                : spans.map { span in
                    let error = span.error.map { " error: \($0)" } ?? ""
                    return
                        "\(span.at) \(span.service) \(span.operation) \(Self.number(span.milliseconds)) ms\(error)"
                }
        case .events(let events):
            events.isEmpty
                ? ["No events."]
                : events.map { "\($0.at) \($0.component) \($0.reason): \($0.message)" }
        case .rows(let rows):
            rows.isEmpty
                ? ["None."]
                : rows.map { row in
                    let rest = row.filter { $0.key != "name" }.sorted { $0.key < $1.key }
                    return ([row["name"] ?? ""] + rest.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
                }
        }
    }

    fileprivate static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(format: "%.3g", value)
    }
}

extension MetricSummary {
    fileprivate var line: String {
        let number = ObservedContent.number
        let numbers =
            "min \(number(least)) p50 \(number(median)) p95 \(number(high)) max \(number(most)) "
            + "last \(number(last))"
        return "\(name){\(component)} \(numbers) [\(points.map(number).joined(separator: " "))]"
    }
}
