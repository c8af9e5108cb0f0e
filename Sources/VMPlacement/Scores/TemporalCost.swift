import Fleet

/// By how much the host would have to stay in use longer for the request, in coarse steps: 0 when the request
/// ends before the host does, so that packing decides among all such hosts.
struct TemporalCost: PlacementScore {
    static let bits = 4

    private let exit: Int64
    private let now: Int64
    private let exits: [Int64]
    /// Microseconds, ascending.
    private let boundaries: [Int64]

    init(_ arrival: LifetimeTable.Arrival, exits: [Int64], boundaries: [Duration]) {
        exit = arrival.exit
        now = arrival.now
        self.exits = exits
        self.boundaries = boundaries.map(\.microseconds)
    }

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        // A host whose VMs all overstayed ends now, as far as anyone knows.
        let longer = exit &- max(exits[slot], now)
        guard longer > 0 else { return 0 }
        var level: UInt64 = 0
        for boundary in boundaries where longer > boundary { level += 1 }
        return level
    }

    /// Such as `extension=2 (1 h to 3 h longer)`.
    func words(_ value: UInt64) -> [String] { ["extension=\(value) (\(reason(Int(value))))"] }

    func reason(_ level: Int) -> String {
        guard level > 0 else {
            let least = boundaries.first ?? 0
            return least > 0 ? "at most \(Self.words(least)) past the host's end" : "ends with the host"
        }
        let from = Self.words(boundaries[min(level, boundaries.count) - 1])
        return level < boundaries.count
            ? "\(from) to \(Self.words(boundaries[level])) past the host's end"
            : "over \(from) past the host's end"
    }

    private static func words(_ microseconds: Int64) -> String {
        let minutes = microseconds / 60_000_000
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes) min"
    }
}
