/// A share of what the VMs may use: `P = φ Σ L`. With φ = 1 nothing is oversubscribed; Borg's default is 0.9.
public struct LimitRule: PeakRule {
    private let share: Double

    public init(share: Double = 1) { self.share = share }

    public var emptyMemory: Void { () }
    public func record(_ sample: VMSample, step: Int, in memory: inout Void) {}

    public func peak(of vms: [WarmVM<Void>]) -> Double { share * vms.reduce(0) { $0 + $1.limit } }
}

/// The sum of what each VM ever used at most: all that were ever busy are busy at once.
public struct LargestSeenRule: PeakRule {
    public init() {}

    public var emptyMemory: Double { 0 }

    public func record(_ sample: VMSample, step: Int, in memory: inout Double) {
        memory = max(memory, sample.usage)
    }

    public func peak(of vms: [WarmVM<Double>]) -> Double { vms.reduce(0) { $0 + $1.memory } }
}
