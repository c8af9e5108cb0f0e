/// When a machine may be taken out of service.
public struct MaintenanceSpec: Sendable, Hashable, Codable {
    /// Drains begin and go on inside one of these only; none at all waits for `due`.
    public var windows: [MaintenanceWindow]
    /// From then on drains go on at any time.
    public var due: Timestamp?

    public init(windows: [MaintenanceWindow], due: Timestamp? = nil) {
        self.windows = windows
        self.due = due
    }

    public func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        if windows.isEmpty, due == nil {
            found.append(
                .init(field: "\(field).windows", code: .required, message: "name a window, or a due date"))
        }
        for (index, window) in windows.enumerated() {
            found += window.defects(at: "\(field).windows[\(index)]")
        }
        return found
    }
}

/// A stretch of time that comes every week, or every day. All times are UTC, so no clock is ever put back.
public struct MaintenanceWindow: Sendable, Hashable, Codable {
    public enum Weekday: String, Sendable, Hashable, Codable, CaseIterable {
        case mon, tue, wed, thu, fri, sat, sun
    }

    /// Every day when absent.
    public var days: [Weekday]?
    /// `HH:MM`.
    public var start: String
    /// May reach into the following days.
    public var durationMinutes: Int

    public init(days: [Weekday]? = nil, start: String, durationMinutes: Int) {
        self.days = days
        self.start = start
        self.durationMinutes = durationMinutes
    }

    /// Longest window: one that never closes is none.
    static let longestMinutes = 7 * 24 * 60 - 1

    /// Minutes from midnight; nil when `start` is no time of a day.
    public var startMinute: Int? {
        let parts = start.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isASCII) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }

    func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        if startMinute == nil {
            found.append(
                .init(
                    field: "\(field).start", code: .invalid,
                    message: "\"\(start)\" is no time; write HH:MM in UTC, such as 02:30"))
        }
        if !(1...Self.longestMinutes).contains(durationMinutes) {
            found.append(
                .init(
                    field: "\(field).durationMinutes", code: .outOfRange,
                    message: "\(durationMinutes) is outside 1 to \(Self.longestMinutes)"))
        }
        if days?.isEmpty == true {
            found.append(
                .init(
                    field: "\(field).days", code: .required, message: "name a day, or leave days out for all")
            )
        }
        return found
    }
}

/// How a drain goes about it.
public struct DrainSpec: Sendable, Hashable, Codable {
    public enum AtDeadline: String, Sendable, Hashable, Codable, CaseIterable {
        /// What is left stops, wherever it can go.
        case stop
        /// What is left goes on, and the host says so.
        case wait
    }

    /// Why hosts are emptied.
    public enum Purpose: String, Sendable, Hashable, Codable, CaseIterable {
        /// Somebody asked for it; what moved lately moves again.
        case maintenance
        /// So that the pool has more empty hosts: the host takes VMs again once it is empty.
        case defragmentation
        /// The machine will be taken away at the deadline.
        case preemption
    }

    /// Fleet time by which the host is to be empty: until what is left takes all the time there is, VMs are
    /// left to end by themselves.
    public var due: Timestamp?
    /// `maintenance` when absent.
    public var purpose: Purpose?
    /// Fleet time.
    public var deadline: Timestamp?
    /// `wait` when absent.
    public var atDeadline: AtDeadline?
    /// Workloads of the host that are disrupted at once.
    public var maxParallel: Int?
    /// Also outside of maintenance windows.
    public var force: Bool?

    public init(
        due: Timestamp? = nil, deadline: Timestamp? = nil, atDeadline: AtDeadline? = nil,
        maxParallel: Int? = nil, force: Bool? = nil, purpose: Purpose? = nil
    ) {
        self.due = due
        self.purpose = purpose
        self.deadline = deadline
        self.atDeadline = atDeadline
        self.maxParallel = maxParallel
        self.force = force
    }

    public func defects(at field: String) -> [FieldDefect] {
        guard let maxParallel, maxParallel < 1 else { return [] }
        return [
            .init(field: "\(field).maxParallel", code: .outOfRange, message: "\(maxParallel) is below 1")
        ]
    }
}

/// How many workloads of a kind may be down at once because of drains.
public struct DisruptionBudget: Sendable, Hashable, Codable {
    /// Any when absent.
    public var project: String?
    /// Labels that a workload carries to count; all count when absent.
    public var selector: [String: String]?
    /// Workloads that do not run, for whatever reason; a drain stops no more than leaves it at this number.
    public var maxDisrupted: Int

    public init(project: String? = nil, selector: [String: String]? = nil, maxDisrupted: Int) {
        self.project = project
        self.selector = selector
        self.maxDisrupted = maxDisrupted
    }

    public func covers(project: String, labels: [String: String]) -> Bool {
        (self.project ?? project) == project && (selector ?? [:]).allSatisfy { labels[$0.key] == $0.value }
    }
}
