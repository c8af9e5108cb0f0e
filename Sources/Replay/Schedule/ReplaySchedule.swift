public import Fleet

/// A trace as paced steps for a live control plane: what to create and delete, and when on the fleet clock.
///
/// A value that holds its place: take `next(dueAt:)` until it is nil, wait until `nextTime`, and go on.
public struct ReplaySchedule: Sendable {
    /// One thing to do to the control plane.
    public struct Step: Sendable, Hashable {
        /// What to do with the VM.
        public enum Action: Sendable, Hashable {
            case create(Resources)
            case delete
        }

        /// Fleet time since the start of the replay.
        public var at: Duration
        /// Name of the VM, the same in both its steps.
        public var vm: String
        /// What to do.
        public var action: Action

        public init(at: Duration, vm: String, action: Action) {
            self.at = at
            self.vm = vm
            self.action = action
        }
    }

    /// VMs that are created.
    public let count: Int
    /// Fleet time of the last creation.
    public let lastCreation: Duration
    private let trace: VMTrace
    private let prefix: String
    private let digits: Int
    private let start: Int64
    private let endsAtLastCreation: Bool
    private var events: EventClock

    /// - Parameters:
    ///   - trace: its first arrival is the start of the replay.
    ///   - prefix: names are the prefix, `-` and the row's number with leading zeros.
    ///   - until: VMs that arrive later than this after the start are left out, with their departures.
    ///   - endsAtLastCreation: leaves VMs that depart after the last creation where they are.
    public init(
        _ trace: VMTrace, prefix: String = "replay", until: Duration? = nil, endsAtLastCreation: Bool = false
    ) {
        let start = trace.vms.reduce(Int64.max) { min($0, $1.arrival) }
        var kept = trace
        if let until {
            let end = until.microseconds
            kept.vms = trace.vms.filter { $0.arrival - start <= end }
        }
        self.trace = kept
        self.start = start
        self.prefix = prefix
        count = kept.vms.count
        digits = String(max(count - 1, 0)).count
        lastCreation = kept.vms.isEmpty ? .zero : .microseconds(kept.lastArrival - start)
        self.endsAtLastCreation = endsAtLastCreation
        events = EventClock(kept)
    }

    /// Fleet time of the next step; nil when all are taken.
    public var nextTime: Duration? {
        guard let time = events.nextTime.map({ Duration.microseconds($0 - start) }) else { return nil }
        return endsAtLastCreation && time > lastCreation ? nil : time
    }

    /// The next step when it is due at `time`; nil when it is later or there is none.
    public mutating func next(dueAt time: Duration) -> Step? {
        guard let due = nextTime, due <= time, let event = events.next() else { return nil }
        let action: Step.Action =
            switch event.kind {
            case .arrival: .create(trace.vms[event.row].resources)
            case .departure: .delete
            }
        return Step(at: due, vm: name(event.row), action: action)
    }

    private func name(_ row: Int) -> String {
        let number = String(row)
        return "\(prefix)-" + String(repeating: "0", count: digits - number.count) + number
    }
}
