import Fleet

/// Shares of a host as integers, so that a sum of fractions is the same on every machine.
enum PackingScale {
    /// The whole of a resource. The product of 2³³·3²·5⁴·7 divides by every capacity `2^a·3^b·5^c·7^d` within
    /// those powers, which are the shapes machines are sold in: for them the shares are exact, and for others
    /// they are off by less than 2⁻²⁰.
    static let one: Int64 = (1 << 33) * 9 * 625 * 7

    /// Bits of a sum over CPU, memory and `modelLimit` device models.
    static let sumBits = 52

    /// Device models whose shares are summed; a request that names more is ordered by the first ones.
    static let modelLimit = 8

    /// One unit's share of `capacity`; 0 for a host without the resource.
    static func weight(_ capacity: Int) -> Int64 { capacity > 0 ? one / Int64(capacity) : 0 }

    /// Free shares of one host for both promises.
    struct Shares {
        let guaranteedWeight: Int64
        let sharedWeight: Int64
        let memoryWeight: Int64
        /// CPU plus memory, as the guaranteed class sees them.
        let guaranteed: Int64
        /// CPU plus memory, as the shared classes see them.
        let shared: Int64

        init(_ room: HostRoom) {
            guaranteedWeight = PackingScale.weight(room.usableMilliCPU)
            sharedWeight = PackingScale.weight(room.usableMilliCPU * room.cpuRatioPerMille / 1000)
            memoryWeight = PackingScale.weight(room.usableMemoryMiB)
            // An overfull host is negative in one term; it is never feasible, so its value is never compared.
            let memory = Int64(room.freeMemoryMiB) &* memoryWeight
            guaranteed = Int64(room.freeGuaranteedMilliCPU) &* guaranteedWeight &+ memory
            shared = Int64(room.freeSharedMilliCPU) &* sharedWeight &+ memory
        }
    }
}
