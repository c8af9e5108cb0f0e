public import Fleet

/// What an action answers.
public struct Observation: Sendable, Hashable, Codable {
    public enum Status: String, Sendable, Hashable, Codable {
        case ok
        /// Carried out, and failed.
        case error
        /// Refused by the fleet's own rules or by the session.
        case blocked
        /// Not understood.
        case invalid
    }

    public var status: Status
    public var content: ObservedContent
    /// Whether more was there than is shown.
    public var isTruncated: Bool
    /// Where to go on, for logs.
    public var cursor: Int?

    public init(
        _ content: ObservedContent, status: Status = .ok, isTruncated: Bool = false, cursor: Int? = nil
    ) {
        self.status = status
        self.content = content
        self.isTruncated = isTruncated
        self.cursor = cursor
    }

    public static func message(_ text: String, status: Status = .ok) -> Observation {
        Observation(.message(text), status: status)
    }
}

/// Tables for programs; agents that read texts get `Observation.text(bytes:)`.
public enum ObservedContent: Sendable, Hashable, Codable {
    case message(String)
    case alerts([Alert])
    case logs([LogLine])
    case metrics([MetricSummary])
    case spans([TraceSpan])
    case events([EventLine])
    /// Rows of names and values; every row has a `name`.
    case rows([[String: String]])
}

public struct Alert: Sendable, Hashable, Codable {
    /// Such as `AgentSilent`.
    public var name: String
    public var component: ComponentName
    public var since: Timestamp
    public var text: String

    public init(name: String, component: ComponentName, since: Timestamp, text: String) {
        self.name = name
        self.component = component
        self.since = since
        self.text = text
    }
}

public struct LogLine: Sendable, Hashable, Codable {
    public var at: Timestamp
    public var component: ComponentName
    public var level: String
    public var message: String
    /// How often in a row, the last time at `at`.
    public var times: Int

    public init(at: Timestamp, component: ComponentName, level: String, message: String, times: Int = 1) {
        self.at = at
        self.component = component
        self.level = level
        self.message = message
        self.times = times
    }

    /// Lines of one component that say the same in a row as one; in the order of time.
    public static func folded(_ lines: [LogLine]) -> [LogLine] {
        var folded: [LogLine] = []
        var last: [ComponentName: Int] = [:]
        for line in lines {
            if let index = last[line.component], folded[index].message == line.message,
                folded[index].level == line.level
            {
                folded[index].times += line.times
                folded[index].at = line.at
            } else {
                last[line.component] = folded.count
                folded.append(line)
            }
        }
        return folded.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
    }
}

public struct TraceSpan: Sendable, Hashable, Codable {
    public var at: Timestamp
    public var service: String
    public var operation: String
    public var milliseconds: Double
    public var error: String?
    /// What it belongs to, such as the id of a request; nil where nobody told.
    public var trace: String?

    public init(
        at: Timestamp, service: String, operation: String, milliseconds: Double, error: String?,
        trace: String? = nil
    ) {
        self.trace = trace
        self.at = at
        self.service = service
        self.operation = operation
        self.milliseconds = milliseconds
        self.error = error
    }
}

public struct EventLine: Sendable, Hashable, Codable {
    public var at: Timestamp
    public var component: ComponentName
    public var reason: String
    public var message: String

    public init(at: Timestamp, component: ComponentName, reason: String, message: String) {
        self.at = at
        self.component = component
        self.reason = reason
        self.message = message
    }
}
