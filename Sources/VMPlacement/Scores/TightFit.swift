import Fleet

/// Best fit in which memory counts twice, as it runs out first, and a fifth of what the host's VMs keep while
/// the request runs counts against it: hosts whose VMs leave soon are filled, and those whose VMs stay keep
/// their room for VMs that stay.
struct TightFit: PlacementScore {
    /// A sum of shares, up to two more and a fifth of three; the last bits decide nothing.
    static let bits = PackingScale.sumBits + 1 - Int(dropped)
    private static let dropped: UInt64 = 5

    /// By slot; empty where nothing is known of stays.
    private let stays: [Int64]

    init(stays: [Int64]) { self.stays = stays }

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        var left = BestFit().value(of: slot, for: request, in: hosts)
        let memory = Int64(hosts.memoryRoom[slot] - request.memoryMiB) &* hosts.memoryWeight[slot]
        left &+= UInt64(truncatingIfNeeded: memory)
        if !stays.isEmpty { left &+= UInt64(truncatingIfNeeded: stays[slot] / 5) }
        return left >> Self.dropped
    }

    func words(_ value: UInt64) -> [String] {
        let thousandths = UInt64(PackingScale.one).dividingFullWidth(
            (value << Self.dropped).multipliedFullWidth(by: 1000)
        ).quotient
        let digits = String(thousandths % 1000)
        return [
            "tightFit=\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
        ]
    }
}
