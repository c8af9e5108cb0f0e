import Fleet

/// `Σ over resources of (free − request) / capacity`: what would be left over, as a share of the host.
///
/// Free and capacity are those of the class asked for: a shared vCPU of a host that sells two per vCPU is
/// half as large a share. Devices count per model that the request names.
struct BestFit: PlacementScore {
    static let bits = PackingScale.sumBits

    @inline(__always)
    func value(of slot: Int, for request: CompiledRequest, in hosts: ScoredColumns) -> UInt64 {
        // Wrapping, as the sums of a feasible host fit and others are never asked for.
        var left =
            hosts.cpu.packing[slot] &- Int64(request.milliCPU) &* hosts.cpu.weight[slot]
            &- Int64(request.memoryMiB) &* hosts.memoryWeight[slot]
        if !request.devices.isEmpty { left &+= deviceShares(request.devices, on: hosts.rows[slot]) }
        return UInt64(truncatingIfNeeded: left)
    }

    @inline(never)
    private func deviceShares(_ demands: [CompiledRequest.DeviceDemand], on row: HostRow) -> Int64 {
        var left: Int64 = 0
        for demand in demands.prefix(PackingScale.modelLimit) {
            let weight = PackingScale.weight(row.deviceCount(of: demand.model))
            left += Int64(row.freeDevices(of: demand.model) - demand.count) * weight
        }
        return left
    }

    func words(_ value: UInt64) -> [String] {
        // Six decimals by integers, so that the text is the same everywhere.
        let millionths = UInt64(PackingScale.one).dividingFullWidth(value.multipliedFullWidth(by: 1_000_000))
            .quotient
        let digits = String(millionths % 1_000_000)
        return [
            "bestFit=\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
        ]
    }
}
