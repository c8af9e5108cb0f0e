/// Nodes kept for jobs that could not start: who ends before may use them.
struct Reservations {
    struct Entry {
        var start: Double
        var nodes: [Int]
    }

    private(set) var entries: [Entry] = []
    /// Per node; ∞ where nothing is kept.
    private var starts: [Double]

    init(nodes: Int) { starts = [Double](repeating: .infinity, count: nodes) }

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ grant: Grant, at start: Double) {
        let nodes = grant.shares.map(\.node)
        entries.append(Entry(start: start, nodes: nodes))
        for node in nodes { starts[node] = min(starts[node], start) }
    }

    /// Nodes for who ends at a time.
    func allowed(until end: Double) -> FreeRoom.Allowed {
        guard !entries.isEmpty else { return .all }
        return .except(starts.map { $0 < end })
    }

    /// Nodes that nothing is kept on.
    var untouched: FreeRoom.Allowed { isEmpty ? .all : .except(starts.map { $0 < .infinity }) }
}

/// How room opens as running jobs end.
struct ReleaseCalendar {
    /// Times and the room from then on; the first is now.
    private let moments: [(time: Double, room: FreeRoom)]

    /// More moments than this are taken together.
    private static let momentLimit = 64

    init(_ work: RoundWork, restart: Double) {
        var room = work.room
        let now = work.state.now
        let ends = work.jobs.indices.filter { work.grants[$0] != nil }.map {
            (time: now + work.secondsLeft($0, restart: restart), index: $0)
        }.sorted { $0.time != $1.time ? $0.time < $1.time : $0.index < $1.index }
        var moments = [(time: now, room: room)]
        let stride = max(1, ends.count / Self.momentLimit)
        for (position, end) in ends.enumerated() {
            if let grant = work.grants[end.index] { room.give(grant) }
            if (position + 1) % stride == 0 || position == ends.count - 1 {
                moments.append((end.time, room))
            }
        }
        self.moments = moments
    }

    /// The start that ends earliest, on nodes that nothing is kept on.
    func earliest(
        _ state: JobState, options: [SpeedPoint], restart: Double, _ allowed: FreeRoom.Allowed
    ) -> (start: Double, end: Double, grant: Grant)? {
        var best: (start: Double, end: Double, grant: Grant)?
        // Fastest first: the first that fits at a moment ends first of those that start then.
        for moment in moments {
            if let best, let fastest = options.first,
                moment.time + state.seconds(fastest, restart: restart) >= best.end
            {
                break
            }
            for point in options {
                let end = moment.time + state.seconds(point, restart: restart)
                if let best, end >= best.end { break }
                guard let grant = moment.room.place(point, allowed) else { continue }
                best = (moment.time, end, grant)
                break
            }
        }
        return best
    }
}
