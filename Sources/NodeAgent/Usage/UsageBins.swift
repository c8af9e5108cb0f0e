import AgentProtocol
import Fleet
import Oversubscription

/// Gathers samples of VMs into bins of time.
struct UsageBins: Sendable {
    /// Bins that wait to be told; beyond it the oldest are given up. Two hours of a host with 400 VMs.
    static let waitingLimit = 10_000

    private struct Open {
        var start: Int
        var sold: Int
        var samples: [Double]
    }

    /// Length of a bin in seconds.
    private let seconds: Int
    private var open: [ID<Document>: Open] = [:]
    private(set) var ended: [UsageBin] = []

    init(seconds: Int) { self.seconds = seconds }

    /// Takes samples of one moment; a VM that is no longer there ends its bin.
    ///
    /// - Parameter now: seconds since 1970.
    mutating func add(_ parts: [PartSample], at now: Int) {
        let start = now / seconds * seconds
        var seen: Set<ID<Document>> = []
        for part in parts where part.directive.workload.kind == .vm {
            let vm = part.directive.workload.uid
            seen.insert(vm)
            if let bin = open[vm], bin.start != start { end(vm, bin) }
            open[vm, default: Open(start: start, sold: 0, samples: [])].samples.append(part.used)
            open[vm]?.sold = part.directive.resources.milliCPU
        }
        for (vm, bin) in open.sorted(by: { $0.key < $1.key }) where !seen.contains(vm) { end(vm, bin) }
        ended.removeFirst(max(0, ended.count - Self.waitingLimit))
    }

    /// Takes back what was told, or rather what was not: bins that ended since stay.
    mutating func forget(_ told: Int) { ended.removeFirst(min(told, ended.count)) }

    private mutating func end(_ vm: ID<Document>, _ bin: Open) {
        open[vm] = nil
        let sorted = bin.samples.sorted()
        let mean = bin.samples.reduce(0, +) / Double(max(1, bin.samples.count))
        ended.append(
            UsageBin(
                vm: vm, start: bin.start, soldMilliCPU: bin.sold, meanMilliCPU: Self.milli(mean),
                p90MilliCPU: Self.milli(Percentile.ofSorted(sorted, 0.9)),
                maxMilliCPU: Self.milli(sorted.last ?? 0)))
    }

    private static func milli(_ cores: Double) -> Int { Int((max(0, cores) * 1000).rounded()) }
}

/// Counts samples of a host in which tasks waited for cores, by bins of time.
struct HostBins: Sendable {
    /// Bins that wait to be told; beyond it the oldest are given up. A day and more.
    static let waitingLimit = 400
    /// Where a guard finds a host hot: what waits is what hurts.
    private static let hotPressure = 0.25
    private static let hotRunDelay = 0.10

    private let seconds: Int
    private var open: HostBin?
    private(set) var ended: [HostBin] = []

    init(seconds: Int) { self.seconds = seconds }

    /// - Parameter now: seconds since 1970.
    mutating func add(_ signals: HostSignals, at now: Int) {
        let start = now / seconds * seconds
        if let open, open.start != start { ended.append(open) }
        var bin =
            open.flatMap { $0.start == start ? $0 : nil }
            ?? HostBin(start: start, samples: 0, hotSamples: 0)
        bin.samples += 1
        let isHot = RiskLedger.Bin.isHot(
            used: 0, cores: 1, pressure: signals.pressure, limit: Self.hotPressure)
        if isHot || signals.runDelay >= Self.hotRunDelay { bin.hotSamples += 1 }
        open = bin
        ended.removeFirst(max(0, ended.count - Self.waitingLimit))
    }

    /// Takes back what was told; bins that ended since stay.
    mutating func forget(_ told: Int) { ended.removeFirst(min(told, ended.count)) }
}
