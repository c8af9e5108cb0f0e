import Foundation
import VMPlacement

/// What a control plane knows when a VM is created, beside the VM itself: how its project's VMs did lately.
///
/// Only what happened before a VM came counts, so a model may be trained on it.
public enum ProjectHistory: String, Sendable, Hashable, CaseIterable {
    /// Mean of log10 of the lifetimes, seconds, of the project's last 50 VMs to end.
    case recentLifetime = "recent_lifetime"
    /// The same of the last five.
    case latestLifetime = "latest_lifetime"
    /// VMs of the project that run.
    case running
    /// VMs of the project that came in the five minutes before.
    case batch
    /// Hour of the day, on the trace's clock, whose first instant counts as midnight.
    case hour

    static let recentEnds = 50
    static let latestEnds = 5
    /// Microseconds.
    static let batchTime: Int64 = 300 * 1_000_000
}

extension VMTrace {
    /// The trace with one more column for each of the names that is a `ProjectHistory`.
    public func addingHistory(_ names: [String]) -> VMTrace {
        let wanted = ProjectHistory.allCases.filter { names.contains($0.rawValue) }
        guard !wanted.isEmpty else { return self }
        var values = wanted.map { _ in [String?](repeating: nil, count: vms.count) }
        var projects: [String: ProjectRecord] = [:]
        var events = EventClock(self)
        let owners = columns.first { $0.name == Self.projectColumn }
        while let event = events.next() {
            let project = owners?[event.row] ?? ""
            if event.kind == .departure {
                let seen = observation(event.row)
                projects[project, default: .init()].end(seen.hasEnded ? seen.seconds : nil)
            } else {
                for (index, kind) in wanted.enumerated() {
                    values[index][event.row] = projects[project, default: .init()].value(
                        kind, at: event.time)
                }
                projects[project, default: .init()].arrivals.append(event.time)
                projects[project, default: .init()].running += 1
            }
        }
        var added = self
        for (kind, values) in zip(wanted, values) {
            var column = TraceColumn(name: kind.rawValue)
            for value in values { column.append(value) }
            added.columns.removeAll { $0.name == kind.rawValue }
            added.columns.append(column)
        }
        return added
    }
}

/// What is remembered of one project.
private struct ProjectRecord {
    var running = 0
    /// Times of those that came lately.
    var arrivals: [Int64] = []
    /// log10 of seconds, the latest last.
    private var ends: [Double] = []

    /// - Parameter seconds: nil for a VM that was lost from sight.
    mutating func end(_ seconds: Double?) {
        running -= 1
        guard let seconds else { return }
        if ends.count == ProjectHistory.recentEnds { ends.removeFirst() }
        ends.append(log10(max(seconds, 1)))
    }

    mutating func value(_ kind: ProjectHistory, at time: Int64) -> String? {
        switch kind {
        case .recentLifetime: return Self.mean(ends[...])
        case .latestLifetime: return Self.mean(ends.suffix(ProjectHistory.latestEnds))
        case .running: return "\(running)"
        case .batch:
            arrivals.removeAll { $0 < time - ProjectHistory.batchTime }
            return "\(arrivals.count)"
        case .hour: return "\(time / 3_600_000_000 % 24)"
        }
    }

    /// Two decimals, which are as many as a prediction is good for.
    private static func mean(_ values: ArraySlice<Double>) -> String? {
        guard !values.isEmpty else { return nil }
        return "\((values.reduce(0, +) / Double(values.count) * 100).rounded() / 100)"
    }
}
