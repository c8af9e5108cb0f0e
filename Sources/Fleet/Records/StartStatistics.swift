/// How fast VMs were placed and started, over those created since a time.
public struct StartStatistics: Sendable, Hashable, Codable {
    /// VMs that were placed.
    public var placed: Int
    /// VMs that ran.
    public var started: Int
    /// Placements per second between the first and the last; nil below two.
    public var placementsPerSecond: Double?
    /// From the commit of the creation to that of the first placement, milliseconds, by nearest rank.
    public var createdToPlacedP50Ms: Double?
    public var createdToPlacedP99Ms: Double?
    /// From the commit of the creation to that of the first report that it runs, milliseconds.
    public var createdToRunningP50Ms: Double?
    public var createdToRunningP99Ms: Double?

    public init(
        placed: Int, started: Int, placementsPerSecond: Double?, createdToPlacedP50Ms: Double?,
        createdToPlacedP99Ms: Double?, createdToRunningP50Ms: Double?, createdToRunningP99Ms: Double?
    ) {
        self.placed = placed
        self.started = started
        self.placementsPerSecond = placementsPerSecond
        self.createdToPlacedP50Ms = createdToPlacedP50Ms
        self.createdToPlacedP99Ms = createdToPlacedP99Ms
        self.createdToRunningP50Ms = createdToRunningP50Ms
        self.createdToRunningP99Ms = createdToRunningP99Ms
    }

    /// Statistics of lives read from the event log.
    public init(_ lives: [VMLife]) {
        func ranks(_ times: [Duration]) -> (p50: Double?, p99: Double?) {
            let sorted = times.sorted()
            guard !sorted.isEmpty else { return (nil, nil) }
            func rank(_ percent: Int) -> Double {
                sorted[(sorted.count * percent + 99) / 100 - 1].inSeconds * 1000
            }
            return (rank(50), rank(99))
        }
        let placed = lives.compactMap(\.placedAt).sorted()
        let toPlaced = ranks(lives.compactMap { life in life.placedAt.map { $0.since(life.createdAt) } })
        let toRunning = ranks(lives.compactMap { life in life.runningAt.map { $0.since(life.createdAt) } })
        var rate: Double?
        if let first = placed.first, let last = placed.last, last > first {
            rate = Double(placed.count - 1) / last.since(first).inSeconds
        }
        self.init(
            placed: placed.count, started: lives.count { $0.runningAt != nil }, placementsPerSecond: rate,
            createdToPlacedP50Ms: toPlaced.p50, createdToPlacedP99Ms: toPlaced.p99,
            createdToRunningP50Ms: toRunning.p50, createdToRunningP99Ms: toRunning.p99)
    }
}

/// The first of each step of a VM's life, as the event log has them.
public struct VMLife: Sendable, Hashable {
    public var createdAt: Timestamp
    public var placedAt: Timestamp?
    public var runningAt: Timestamp?

    public init(createdAt: Timestamp, placedAt: Timestamp?, runningAt: Timestamp?) {
        self.createdAt = createdAt
        self.placedAt = placedAt
        self.runningAt = runningAt
    }
}
