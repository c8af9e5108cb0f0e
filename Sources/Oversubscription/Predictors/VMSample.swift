/// What one VM of a host used in one step.
public struct VMSample: Sendable, Hashable {
    /// Which VM; the same number in every step.
    public var vm: Int
    /// Cores in use.
    public var usage: Double
    /// Cores that the VM may use.
    public var limit: Double

    public init(vm: Int, usage: Double, limit: Double) {
        self.vm = vm
        self.usage = usage
        self.limit = limit
    }

    /// With usage brought between zero and the limit: meters overshoot.
    public var clipped: VMSample { VMSample(vm: vm, usage: min(max(usage, 0), limit), limit: limit) }
}
