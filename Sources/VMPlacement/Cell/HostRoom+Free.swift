import Fleet

/// Largest requests that admission takes: `refusal(of:guaranteed:)` solved for the request, so that a scan
/// compares one integer and both say the same for every request.
extension HostRoom {
    /// CPU that can be given away at all, milli.
    var usableMilliCPU: Int { total.milliCPU - reserved.milliCPU }
    var usableMemoryMiB: Int { total.memoryMiB - reserved.memoryMiB }

    var freeMemoryMiB: Int { usableMemoryMiB - usedMemoryMiB }

    var freeGuaranteedMilliCPU: Int { usableMilliCPU - consumedMilliCPU }

    /// Milli-vCPU as sold. `guaranteed + ⌈(shared + s) · 1000 / ratio⌉ ≤ usable` holds exactly for
    /// `s ≤ ⌊(usable − guaranteed) · ratio / 1000⌋ − shared`.
    var freeSharedMilliCPU: Int {
        let left = usableMilliCPU - guaranteedMilliCPU
        // Where the guaranteed part alone exceeds the host, no shared request fits, not even an empty one.
        guard left >= 0 else { return -1 }
        return left * cpuRatioPerMille / 1000 - sharedMilliCPU
    }
}
