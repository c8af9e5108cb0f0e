import Fleet

extension MemoryState {
    /// Why an allocation is refused, by the first rule that does: the host as the planner saw it, the
    /// workload as the planner saw it, devices, CPU, memory, quota.
    ///
    /// - Parameter source: what the allocation stands by for: it is in nobody's way, and charged already.
    func refusal(
        of directive: AllocateDirective, cell: String, source: ID<Allocation>? = nil
    ) -> (reason: Reason, host: ID<Document>?)? {
        let allocation = directive.allocation
        let host = allocation.host
        guard let row = hosts[host], row.record.cell == cell, allocation.cell == cell,
            row.record.generation == directive.hostGeneration, !row.record.cordoned, !row.record.draining,
            row.record.contact == .ready
        else { return (.hostChanged, host) }
        guard let workload = documents[allocation.workload.uid],
            workload.metadata.deletionTimestamp == nil
        else { return (.workloadGone, nil) }
        guard workload.metadata.generation == directive.workloadGeneration else {
            return (.workloadChanged, nil)
        }
        // An id that was used before names another allocation, released or not.
        guard !allocations.holds(allocation.workload, beside: source), allocations[allocation.id] == nil
        else {
            return (.alreadyAllocated, nil)
        }
        guard row.canGive(allocation.devices), !allocations.holdsDevice(of: allocation.devices) else {
            return (.deviceTaken, host)
        }
        let refused = row.record.room.refusal(
            of: allocation.resources, guaranteed: allocation.isGuaranteed)
        if let refused { return (refused, host) }
        if source != nil { return nil }
        var use = usage[allocation.workload.project] ?? QuotaUsage()
        use.add(allocation)
        guard use.fits(in: limits[allocation.workload.project] ?? Quota()) else {
            return (.quotaExceeded, nil)
        }
        return nil
    }
}
