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

    public init(
        total: Resources, reserved: Resources = .zero, guaranteedMilliCPU: Int = 0, sharedMilliCPU: Int = 0,
        usedMemoryMiB: Int = 0, cpuRatioPerMille: Int = 1000
    ) {
        self.total = total
        self.reserved = reserved
        self.guaranteedMilliCPU = guaranteedMilliCPU
        self.sharedMilliCPU = sharedMilliCPU
        self.usedMemoryMiB = usedMemoryMiB
        self.cpuRatioPerMille = cpuRatioPerMille
    }

    /// CPU taken from the host, the shared part divided by the ratio and rounded up.
    public var consumedMilliCPU: Int {
        guaranteedMilliCPU + (sharedMilliCPU * 1000 + cpuRatioPerMille - 1) / cpuRatioPerMille
    }

    public var cpuHolds: Bool { consumedMilliCPU <= total.milliCPU - reserved.milliCPU }
    public var memoryHolds: Bool { usedMemoryMiB <= total.memoryMiB - reserved.memoryMiB }

    /// Adds a part, or takes it away with `sign` −1.
    public mutating func add(_ resources: Resources, guaranteed: Bool, sign: Int = 1) {
        if guaranteed {
            guaranteedMilliCPU += sign * resources.milliCPU
        } else {
            sharedMilliCPU += sign * resources.milliCPU
        }
        usedMemoryMiB += sign * resources.memoryMiB
    }

    /// The constraint that would refuse the part, or nil when it is admitted.
    public func refusal(of resources: Resources, guaranteed: Bool) -> Reason? {
        var after = self
        after.add(resources, guaranteed: guaranteed)
        if !after.cpuHolds { return .insufficientCPU }
        if !after.memoryHolds { return .insufficientMemory }
        return nil
    }
}
