import Fleet
import VMPlacement

/// Means of stranded room and of large VMs that fit, over the samples of the window.
struct StrandingSamples {
    /// Arrivals of the last day make the mix that hosts are filled up with.
    private static let memory: Int64 = 86_400 * PolicyRun.microsecondsPerSecond

    private let whole: Resources
    private let seed: UInt64
    private var arrivals: [(time: Int64, shape: Resources)] = []
    private var oldest = 0
    private var count = 0
    private var cpu = 0.0
    private var memory = 0.0
    private var obtainable: [Double]

    /// Shares of a host that count as large.
    private static let divisors = [1, 2, 4]

    init(host: Resources, seed: UInt64) {
        whole = host
        self.seed = seed
        obtainable = Self.divisors.map { _ in 0 }
    }

    mutating func note(_ shape: Resources, at time: Int64) {
        arrivals.append((time, shape))
        while arrivals[oldest].time <= time - Self.memory { oldest += 1 }
        // The past is dropped now and then, so that each arrival is moved about once.
        if oldest > arrivals.count / 2 {
            arrivals.removeFirst(oldest)
            oldest = 0
        }
    }

    /// - Parameter weight: samples that see this state.
    mutating func take(_ cell: PlacementCell, weight: Int) {
        guard let stranding = cell.stranding(of: mix, seed: seed) else { return }
        count += weight
        cpu += stranding.cpu * Double(weight)
        memory += stranding.memory * Double(weight)
        for (index, shape) in large.enumerated() {
            obtainable[index] += Double(cell.obtainable(shape) * weight)
        }
    }

    private var mix: [ShapeShare] {
        var counts: [Resources: Int] = [:]
        for arrival in arrivals[oldest...] { counts[arrival.shape, default: 0] += 1 }
        return counts.map { ShapeShare($0.key, weight: $0.value) }.sorted {
            ($0.shape.milliCPU, $0.shape.memoryMiB) < ($1.shape.milliCPU, $1.shape.memoryMiB)
        }
    }

    private var large: [Resources] {
        Self.divisors.map {
            Resources(milliCPU: whole.milliCPU / $0, memoryMiB: whole.memoryMiB / $0)
        }
    }

    /// Nil before the first sample.
    var result: StrandingResult? {
        guard count > 0 else { return nil }
        func percent(_ sum: Double) -> Double { (sum / Double(count) * 1_000_000).rounded() / 10_000 }
        let copies = obtainable.map { ($0 / Double(count) * 100).rounded() / 100 }
        return StrandingResult(
            strandedCpuPct: percent(cpu), strandedMemPct: percent(memory), obtainableWholeHosts: copies[0],
            obtainableHalfHosts: copies[1], obtainableQuarterHosts: copies[2])
    }
}

/// Room that is of no use, and large VMs that fit, means over the samples of the window.
public struct StrandingResult: Sendable, Hashable, Codable {
    /// CPU that stays free when hosts are filled up with VMs like those of the last day, per cent of all CPU.
    public var strandedCpuPct: Double
    /// Memory likewise.
    public var strandedMemPct: Double
    /// VMs of a whole host's size that fit.
    public var obtainableWholeHosts: Double
    public var obtainableHalfHosts: Double
    public var obtainableQuarterHosts: Double
}
