import VMPlacement

/// Means over evenly spaced samples of the measured window. A sample at a time sees every event up to and at
/// it.
struct WindowSamples {
    /// Time of the next sample, microseconds.
    private var next: Int64
    private let step: Int64
    private let until: Int64
    private var count = 0
    private var emptyShares = 0.0
    private var inUseCount = 0
    private var densities = 0.0
    /// Per sample, per cent.
    private(set) var emptyHosts: [Double] = []

    init(next: Int64, step: Int64, until: Int64) {
        self.next = next
        self.step = step
        self.until = until
    }

    /// Takes the samples that are due before an event at `time`, while the cell is as it was until then.
    ///
    /// - Returns: how many there were.
    @discardableResult
    mutating func take(before time: Int64, of cell: PlacementCell) -> Int {
        guard next < time, next <= until else { return 0 }
        let before = count
        let packing = cell.packing
        while next < time, next <= until {
            count += 1
            let share = Double(packing.emptyHosts) / Double(packing.hosts)
            emptyShares += share
            emptyHosts.append(share * 100)
            if packing.milliCPUOfHostsInUse > 0 {
                inUseCount += 1
                densities += Double(packing.usedMilliCPU) / Double(packing.milliCPUOfHostsInUse)
            }
            next += step
        }
        return count - before
    }

    var emptyHostsPct: Double { percent(emptyShares, count) }
    var densityPct: Double { percent(densities, inUseCount) }

    private func percent(_ sum: Double, _ count: Int) -> Double {
        count == 0 ? 0 : (sum / Double(count) * 1_000_000).rounded() / 10_000
    }
}
