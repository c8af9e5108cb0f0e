/// An action that looks and changes nothing.
public enum ReadAction: Sendable, Hashable {
    case alerts
    case logs(LogQuery)
    /// Series whose name or component begins with the text.
    case metrics(prefix: String, rangeSeconds: Int, stepSeconds: Int)
    case traces(service: String, sinceSeconds: Int, onlyErrors: Bool)
    /// Nil is of everything.
    case events(target: String?)
    case inventory(kind: String, filter: String?)
    case topology(depth: Int)
    case policy(name: String, revision: Int?)
    case policyDifference(name: String, from: Int, to: Int)
    case databaseHealth
    case command(host: String, command: String)
    case wait(seconds: Int)

    public struct LogQuery: Sendable, Hashable {
        /// A component, or `*`.
        public var target: String
        public var sinceSeconds: Int
        public var level: String?
        public var contains: String?
        /// Lines to pass over, from the newest.
        public var cursor: Int

        public init(
            target: String, sinceSeconds: Int = 300, level: String? = nil, contains: String? = nil,
            cursor: Int = 0
        ) {
            self.target = target
            self.sinceSeconds = sinceSeconds
            self.level = level
            self.contains = contains
            self.cursor = cursor
        }
    }

    /// Seconds that an agent may look back or wait: bounds what one step costs.
    public static let longestRange = 6 * 3600
    public static let longestWait = 600

    init?(_ verb: ActionVerb, _ arguments: BoundArguments) {
        func seconds(_ name: String) -> Int { min(max(arguments.integer(name), 1), Self.longestRange) }
        switch verb {
        case .getAlerts: self = .alerts
        case .getLogs:
            self = .logs(
                LogQuery(
                    target: arguments.text("target"), sinceSeconds: seconds("since_s"),
                    level: arguments.optionalText("level"), contains: arguments.optionalText("contains"),
                    cursor: max(0, arguments.integer("cursor"))))
        case .getMetrics:
            self = .metrics(
                prefix: arguments.text("query"), rangeSeconds: seconds("range_s"),
                stepSeconds: seconds("step_s"))
        case .getTraces:
            self = .traces(
                service: arguments.text("service"), sinceSeconds: seconds("since_s"),
                onlyErrors: arguments.bool("only_errors"))
        case .getEvents: self = .events(target: arguments.optionalText("target"))
        case .getInventory:
            self = .inventory(kind: arguments.text("kind"), filter: arguments.optionalText("filter"))
        case .getTopology: self = .topology(depth: min(max(arguments.integer("depth"), 1), 4))
        case .getPolicy:
            self = .policy(name: arguments.text("name"), revision: arguments.optionalInteger("revision"))
        case .diffPolicy:
            self = .policyDifference(
                name: arguments.text("name"), from: arguments.integer("a"), to: arguments.integer("b"))
        case .getDatabaseHealth: self = .databaseHealth
        case .execReadOnly:
            self = .command(host: arguments.text("host"), command: arguments.text("command"))
        case .wait: self = .wait(seconds: min(max(arguments.integer("seconds"), 1), Self.longestWait))
        default: return nil
        }
    }
}
