internal import APITypes
internal import FaultLab
internal import Fleet
internal import Foundation

/// What the processes of a fleet wrote, read from the ends of their files.
struct LiveLogs {
    let directory: String
    /// Nothing of before is told.
    let start: Timestamp

    /// Of each file: what an agent may look at in one step.
    private static let mostBytes: UInt64 = 1 << 20
    /// Of one message with its fields.
    private static let mostCharacters = 400

    private struct Record {
        var at: Timestamp
        var level: String
        var message: String
        var fields: [String: String]
    }

    /// In the order of time.
    func lines(of components: [ComponentName]) -> [FaultLab.LogLine] {
        components.flatMap { component in
            records(of: component).map { record in
                let fields = record.fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                let text = ([record.message] + fields).joined(separator: " ")
                return FaultLab.LogLine(
                    at: record.at, component: component, level: record.level,
                    message: String(text.prefix(Self.mostCharacters)))
            }
        }.sorted { ($0.at, $0.component) < ($1.at, $1.component) }
    }

    /// Requests that controllers answered: the spans that the product has.
    func spans(of controllers: [ComponentName]) -> [TraceSpan] {
        controllers.flatMap { component in
            records(of: component).compactMap { record -> TraceSpan? in
                guard record.message == "request", let route = record.fields["route"],
                    let milliseconds = record.fields["durationMs"].flatMap(Double.init)
                else { return nil }
                let status = record.fields["status"].flatMap { Int($0) } ?? 0
                return TraceSpan(
                    at: record.at.advanced(by: .milliseconds(-milliseconds)), service: component.description,
                    operation: "\(record.fields["method"] ?? "") \(route)", milliseconds: milliseconds,
                    error: status >= 500 ? "status \(status)" : nil)
            }
        }.sorted { ($0.at, $0.service) < ($1.at, $1.service) }
    }

    private func records(of component: ComponentName) -> [Record] {
        let file = "\(directory)/\(component.path).log"
        guard let handle = FileHandle(forReadingAtPath: file), let end = try? handle.seekToEnd(),
            (try? handle.seek(toOffset: end > Self.mostBytes ? end - Self.mostBytes : 0)) != nil,
            let data = try? handle.readToEnd()
        else { return [] }
        return data.split(separator: UInt8(ascii: "\n")).compactMap { line in
            // why `try?`: the first line may be cut, and a program that ends badly writes what it likes.
            guard let object = (try? JSONDecoder().decode(JSONValue.self, from: line))?.object,
                let at = object["time"]?.string.flatMap({ Timestamp($0) }), at >= start
            else { return nil }
            var fields = object.compactMapValues(Self.text)
            for head in ["time", "level", "component", "message"] { fields[head] = nil }
            return Record(
                at: at, level: object["level"]?.string ?? "", message: object["message"]?.string ?? "",
                fields: fields)
        }
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .null, .array, .object: nil
        }
    }
}
