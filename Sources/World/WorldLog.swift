public import Fleet
internal import Logging
internal import Synchronization

/// One line that a component logged.
public struct WorldLogLine: Sendable, Hashable {
    public var at: Timestamp
    /// `c-0.1` for the first start of a controller, the host's name for an agent.
    public var component: String
    public var level: String
    public var message: String
}

/// The last lines of all components.
final class WorldLog: Sendable {
    static let kept = 4096

    private let state = Mutex<(lines: [WorldLogLine], next: Int)>(([], 0))

    func append(_ line: WorldLogLine) {
        state.withLock { state in
            if state.lines.count < Self.kept {
                state.lines.append(line)
            } else {
                state.lines[state.next] = line
            }
            state.next = (state.next + 1) % Self.kept
        }
    }

    func lines(of component: String?) -> [WorldLogLine] {
        let all = state.withLock { state in
            state.lines.count < Self.kept
                ? state.lines : Array(state.lines[state.next...] + state.lines[..<state.next])
        }
        guard let component else { return all }
        return all.filter { $0.component == component || $0.component.hasPrefix(component + ".") }
    }
}

struct WorldLogHandler: LogHandler {
    let component: String
    let log: WorldLog
    let clock: VirtualClock
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var text = "\(event.message)"
        for (key, value) in (event.metadata ?? [:]).sorted(by: { $0.key < $1.key }) {
            text += " \(key)=\(value)"
        }
        log.append(
            WorldLogLine(at: clock.wall, component: component, level: event.level.rawValue, message: text))
    }
}
