import Fleet

/// Largest requests that admission takes: `refusal(of:guaranteed:)` solved for the request, so that a scan
/// compares one integer and both say the same for every request.
extension HostRoom {
    /// CPU that can be given away at all, milli.
    var usableMilliCPU: Int { total.milliCPU - reserved.milliCPU }
    var usableMemoryMiB: Int { total.memoryMiB - reserved.memoryMiB }

    var freeMemoryMiB: Int { usableMemoryMiB - usedMemoryMiB }

    var freeGuaranteedMilliCPU: Int { min(soldGuaranteedMilliCPU, peakGuaranteedMilliCPU ?? .max) }
    var freeSharedMilliCPU: Int { min(soldSharedMilliCPU, peakSharedMilliCPU ?? .max) }

    /// As the ratio alone leaves it.
    var soldGuaranteedMilliCPU: Int { usableMilliCPU - consumedMilliCPU }

    /// Milli-vCPU as sold. `guaranteed + ⌈(shared + s) · 1000 / ratio⌉ ≤ usable` holds exactly for
    /// `s ≤ ⌊(usable − guaranteed) · ratio / 1000⌋ − shared`.
    var soldSharedMilliCPU: Int {
        let left = usableMilliCPU - guaranteedMilliCPU
        // Where the guaranteed part alone exceeds the host, no shared request fits, not even an empty one.
        guard left >= 0 else { return -1 }
        return left * cpuRatioPerMille / 1000 - sharedMilliCPU
    }

    /// As predicted peaks leave it, nil where they do not count.
    /// `peak · 1000 ≤ limit · (usable − guaranteed − g)` holds exactly for
    /// `g ≤ usable − guaranteed − ⌈peak · 1000 / limit⌉`.
    var peakGuaranteedMilliCPU: Int? {
        guard let limit = maxUtilizationPerMille else { return nil }
        return usableMilliCPU - guaranteedMilliCPU - (sharedPeakMilliCPU * 1000 + limit - 1) / limit
    }

    /// Likewise: `(peak + s) · 1000 ≤ limit · (usable − guaranteed)` for
    /// `s ≤ ⌊(usable − guaranteed) · limit / 1000⌋ − peak`, as the peak of what is new is all of it.
    var peakSharedMilliCPU: Int? {
        guard let limit = maxUtilizationPerMille else { return nil }
        let left = usableMilliCPU - guaranteedMilliCPU
        guard left >= 0 else { return -1 }
        return left * limit / 1000 - sharedPeakMilliCPU
    }
}
