internal import Fleet
internal import Logging

/// One event as the line that is written for it, without the line's end.
///
/// Every line begins with time, level, component and message; the fields follow in the order of their names.
struct LogLine {
    var time: Timestamp
    var level: Logger.Level
    /// Module that speaks: `control`, `api`, `postgres-client`.
    var component: String
    var message: String
    var fields: [(key: String, value: Logger.MetadataValue)]

    init(time: Timestamp, event: LogEvent, metadata: Logger.Metadata) {
        self.time = time
        level = event.level
        component = Self.component(event.source)
        message = event.message.description
        var named: [String: Logger.MetadataValue] = [:]
        for (key, value) in metadata { named[Self.name(key)] = value }
        if let error = event.error { named["error"] = .string("\(error)") }
        fields = named.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
    }

    private static let reserved: Set = ["time", "level", "component", "message"]
    /// Names that libraries give to what has one name here.
    private static let renamed = ["hb.request.id": "request"]

    private static func name(_ key: String) -> String {
        let name = renamed[key] ?? LogField.key(key)
        return reserved.contains(name) ? "field.\(name)" : name
    }

    /// `PostgresClient` to `postgres-client`, `API` to `api`.
    static func component(_ source: String) -> String {
        var text = ""
        var before: Character?
        for character in source {
            if character.isUppercase, let before, before.isLowercase { text += "-" }
            text += character.lowercased()
            before = character
        }
        return LogField.key(text)
    }

    func text(_ format: LogFormat) -> String {
        let time = time.description
        switch format {
        case .logfmt:
            let head = [
                "time=\(time)", "level=\(level.rawValue)", "component=\(component)",
                "message=\(LogField.logfmt(message))",
            ]
            return (head + fields.map { "\($0.key)=\(LogField.logfmt($0.value))" }).joined(separator: " ")
        case .json:
            let head = [
                "\"time\":\"\(time)\"", "\"level\":\"\(level.rawValue)\"", "\"component\":\"\(component)\"",
                "\"message\":\(LogField.quoted(message))",
            ]
            let members = head + fields.map { "\"\($0.key)\":\(LogField.json($0.value))" }
            return "{" + members.joined(separator: ",") + "}"
        }
    }
}
