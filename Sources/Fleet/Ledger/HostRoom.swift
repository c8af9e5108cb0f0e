/// The integers that admission on one host is decided by.
public struct HostRoom: Sendable, Hashable, Codable {
    public var total: Resources
    public var reserved: Resources
    /// CPU of guaranteed parts, milli.
    public var guaranteedMilliCPU: Int
    /// CPU of standard and spot VMs, milli, as asked for.
    public var sharedMilliCPU: Int
    public var usedMemoryMiB: Int
    /// vCPUs sold per vCPU to the shared part, per mille.
    public var cpuRatioPerMille: Int
    /// Of the shared CPU, what is predicted never to be in use at once, milli.
    public var sparedMilliCPU: Int
    /// How full predicted peaks may make what the guaranteed part leaves, per mille; nil where they do not
    /// count.
    public var maxUtilizationPerMille: Int?

    public init(
        total: Resources, reserved: Resources = .zero, guaranteedMilliCPU: Int = 0, sharedMilliCPU: Int = 0,
        usedMemoryMiB: Int = 0, cpuRatioPerMille: Int = 1000, sparedMilliCPU: Int = 0,
        maxUtilizationPerMille: Int? = nil
    ) {
        self.total = total
        self.reserved = reserved
        self.guaranteedMilliCPU = guaranteedMilliCPU
        self.sharedMilliCPU = sharedMilliCPU
        self.usedMemoryMiB = usedMemoryMiB
        self.cpuRatioPerMille = cpuRatioPerMille
        self.sparedMilliCPU = sparedMilliCPU
        self.maxUtilizationPerMille = maxUtilizationPerMille
    }

    /// CPU taken from the host, the shared part divided by the ratio and rounded up.
    public var consumedMilliCPU: Int {
        guaranteedMilliCPU + (sharedMilliCPU * 1000 + cpuRatioPerMille - 1) / cpuRatioPerMille
    }

    public var cpuHolds: Bool { consumedMilliCPU <= total.milliCPU - reserved.milliCPU }
    /// Predicted peak of the shared part, milli.
    public var sharedPeakMilliCPU: Int { sharedMilliCPU - sparedMilliCPU }
    /// Whether the predicted peak fits beside the guaranteed part.
    public var peakHolds: Bool {
        guard let maxUtilizationPerMille else { return true }
        let left = total.milliCPU - reserved.milliCPU - guaranteedMilliCPU
        return sharedPeakMilliCPU * 1000 <= maxUtilizationPerMille * left
    }
    public var memoryHolds: Bool { usedMemoryMiB <= total.memoryMiB - reserved.memoryMiB }

    /// Adds a part, or takes it away with `sign` −1.
    ///
    /// - Parameter spared: of its CPU, what it is predicted not to use; 0 for guaranteed parts.
    public mutating func add(_ resources: Resources, guaranteed: Bool, spared: Int = 0, sign: Int = 1) {
        if guaranteed {
            guaranteedMilliCPU += sign * resources.milliCPU
        } else {
            sharedMilliCPU += sign * resources.milliCPU
            sparedMilliCPU += sign * spared
        }
        usedMemoryMiB += sign * resources.memoryMiB
    }

    /// Adds an allocation, or takes it away with `sign` −1.
    public mutating func add(_ allocation: Allocation, sign: Int = 1) {
        add(
            allocation.resources, guaranteed: allocation.isGuaranteed, spared: allocation.sparedMilliCPU,
            sign: sign)
    }

    /// The constraint that would refuse the part, or nil when it is admitted. Nothing is known of its use
    /// yet, so that all of its CPU counts as its peak.
    public func refusal(of resources: Resources, guaranteed: Bool) -> Reason? {
        var after = self
        after.add(resources, guaranteed: guaranteed)
        if !after.cpuHolds { return .insufficientCPU }
        if !after.peakHolds { return .insufficientPeakRoom }
        if !after.memoryHolds { return .insufficientMemory }
        return nil
    }
}
