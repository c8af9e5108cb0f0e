/// The arrivals and departures of a trace in the order in which they happen.
///
/// At equal times departures come before arrivals, and rows in their order. A VM that departs when it arrives
/// does so right after its arrival.
public struct EventClock: Sendable {
    /// One VM comes or goes.
    public struct Event: Sendable, Hashable {
        /// Which of the two.
        public enum Kind: Sendable, Hashable { case departure, arrival }

        /// Microseconds on the trace's clock.
        public var time: Int64
        /// Whether the VM comes or goes.
        public var kind: Kind
        /// Row of the VM in the trace, from 0.
        public var row: Int
    }

    private struct Entry {
        var time: Int64
        var row: Int32
    }

    private let arrivals: [Entry]
    /// Without the VMs that depart when they arrive.
    private let departures: [Entry]
    private let momentary: Set<Int32>
    private var nextArrival = 0
    private var nextDeparture = 0
    private var pending: Event?

    /// Sorts the events of a trace, whose rows may be in any order.
    public init(_ trace: VMTrace) {
        var arrivals: [Entry] = []
        var departures: [Entry] = []
        var momentary: Set<Int32> = []
        arrivals.reserveCapacity(trace.vms.count)
        departures.reserveCapacity(trace.vms.count)
        for (row, vm) in trace.vms.enumerated() {
            arrivals.append(Entry(time: vm.arrival, row: Int32(row)))
            if vm.departure > vm.arrival {
                departures.append(Entry(time: vm.departure, row: Int32(row)))
            } else {
                momentary.insert(Int32(row))
            }
        }
        arrivals.sort(by: Self.precedes)
        departures.sort(by: Self.precedes)
        self.arrivals = arrivals
        self.departures = departures
        self.momentary = momentary
    }

    private static func precedes(_ lhs: Entry, _ rhs: Entry) -> Bool {
        lhs.time != rhs.time ? lhs.time < rhs.time : lhs.row < rhs.row
    }

    /// Time of the next event; nil at the end.
    public var nextTime: Int64? {
        if let pending { return pending.time }
        let arrival = nextArrival < arrivals.count ? arrivals[nextArrival].time : nil
        let departure = nextDeparture < departures.count ? departures[nextDeparture].time : nil
        guard let arrival, let departure else { return arrival ?? departure }
        return min(arrival, departure)
    }

    /// The next event; nil at the end.
    public mutating func next() -> Event? {
        if let event = pending {
            pending = nil
            return event
        }
        let arrival = nextArrival < arrivals.count ? arrivals[nextArrival].time : .max
        if nextDeparture < departures.count, departures[nextDeparture].time <= arrival {
            let entry = departures[nextDeparture]
            nextDeparture += 1
            return Event(time: entry.time, kind: .departure, row: Int(entry.row))
        }
        guard nextArrival < arrivals.count else { return nil }
        let entry = arrivals[nextArrival]
        nextArrival += 1
        if !momentary.isEmpty, momentary.contains(entry.row) {
            pending = Event(time: entry.time, kind: .departure, row: Int(entry.row))
        }
        return Event(time: entry.time, kind: .arrival, row: Int(entry.row))
    }
}
