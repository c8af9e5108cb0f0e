import Fleet

/// How much of a host its VMs keep while a VM of a class runs: shares of CPU and, twice, of memory, each for
/// the part of the class's longest lifetime that its VM is expected to stay. In units of `PackingScale.one`.
struct HostStay {
    private let cpuWeight: Int64
    private let memoryWeight: Int64
    /// By class, microseconds.
    private let horizons: [Int64]
    /// By class from the first.
    private(set) var values: [Int64]

    init(_ room: HostRoom, _ settings: LifetimeSettings) {
        cpuWeight = PackingScale.weight(room.usableMilliCPU)
        memoryWeight = PackingScale.weight(room.usableMemoryMiB)
        let cap = settings.cap?.microseconds ?? .max
        horizons = LifetimeClass.allCases.map {
            min(Int64(settings.ladder.longestSeconds(of: $0) * 1e6), cap)
        }
        values = horizons.map { _ in 0 }
    }

    /// - Parameter left: of the VM's life, microseconds.
    mutating func add(_ resources: Resources, left: Int64) {
        let share =
            Int64(resources.milliCPU) &* cpuWeight &+ 2 &* Int64(resources.memoryMiB) &* memoryWeight
        for index in values.indices {
            // In thousandths, which keeps the product inside 64 bits.
            let perMille = min(left, horizons[index]) &* 1000 / horizons[index]
            values[index] &+= share / 1000 &* perMille
        }
    }
}
