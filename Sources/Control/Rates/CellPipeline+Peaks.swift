internal import Fleet
internal import Store

/// What a pipeline remembers of the peaks that it foretells.
struct PeakKeeping {
    /// Allocations of the sweep under way that are still to be looked at.
    var left: ArraySlice<ID<Allocation>> = []
    var beganAt: Timestamp?
    /// Fleet time of the next sweep.
    var due: Timestamp?
}

extension CellPipeline {
    /// A peak is told in twentieths of what the VM was sold, rounded up: a ledger that moved with every hour
    /// would say no more.
    private static let steps = 20
    private static let hour = 3600.0

    /// Foretells what VMs use at most, some at a time, all of them once an hour of the fleet clock, and
    /// writes down what has changed.
    func foretellPeaks() async throws -> Bool {
        let now = time.now()
        if peaks.left.isEmpty {
            if let beganAt = peaks.beganAt, now.since(beganAt) < limits.peaksEvery { return false }
            peaks.beganAt = now
            let fleetNow = FleetClock(try await store.clusterState()).time(at: now)
            guard fleetNow >= peaks.due ?? fleetNow, try await store.usageRolledTo() != nil else {
                return false
            }
            peaks.due = fleetNow.advanced(by: .seconds(Self.hour))
            peaks.left = model.allocations.values.filter(\.hasPeak).map(\.id).sorted()[...]
        }
        guard !peaks.left.isEmpty else { return false }
        let some = peaks.left.prefix(limits.peaksPerLook).compactMap { model.allocations[$0] }
        peaks.left = peaks.left.dropFirst(limits.peaksPerLook)
        return try await foretell(some.filter(\.hasPeak))
    }

    private func foretell(_ allocations: [Allocation]) async throws -> Bool {
        let clock = FleetClock(try await store.clusterState())
        let sold = Dictionary(
            allocations.map { ($0.workload.uid, $0.resources.milliCPU) }, uniquingKeysWith: max)
        let forecast = UsageForecast(store: store)
        let found = try await forecast.peaks(of: sold, now: clock.time(at: time.now()))
        var changed: [ID<Allocation>: Int?] = [:]
        for allocation in allocations {
            let peak = Self.peak(found[allocation.workload.uid] ?? [], of: allocation.resources.milliCPU)
            if peak != allocation.peakMilliCPU { changed.updateValue(peak, forKey: allocation.id) }
        }
        guard !changed.isEmpty else { return false }
        return try await store.recordPeaks(changed, lease: lease) > 0
    }

    /// The busiest window counts all day, as a VM that is admitted at night is there at noon. Nil where
    /// nothing is spared: what is not known and what is full are the same to the ledger.
    private static func peak(_ windows: [Int], of sold: Int) -> Int? {
        guard let greatest = windows.max() else { return nil }
        let step = max(1, sold / steps)
        let peak = (greatest + step - 1) / step * step
        return peak < sold ? peak : nil
    }
}

extension Allocation {
    /// Whether a peak of it counts: it shares CPU and runs, or is about to.
    fileprivate var hasPeak: Bool {
        workload.kind == .vm && !isGuaranteed && !quarantined && (state == .active || state == .reserved)
    }
}
