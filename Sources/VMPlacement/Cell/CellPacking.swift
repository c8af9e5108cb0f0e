import Fleet

/// How full a cell is: what empty hosts and packing density are computed from.
public struct CellPacking: Sendable, Hashable {
    /// All hosts, whatever their state.
    public var hosts: Int
    /// Hosts without an unreleased allocation.
    public var emptyHosts: Int
    /// CPU taken, milli, the shared part divided by the ratio.
    public var usedMilliCPU: Int
    /// CPU that can be given away on hosts that are not empty, milli.
    public var milliCPUOfHostsInUse: Int
}

extension PlacementCell {
    /// Sums over the hosts.
    public var packing: CellPacking {
        var packing = CellPacking(hosts: hosts.count, emptyHosts: 0, usedMilliCPU: 0, milliCPUOfHostsInUse: 0)
        for row in hosts.rows {
            guard row.allocations > 0 else {
                packing.emptyHosts += 1
                continue
            }
            packing.usedMilliCPU += row.room.consumedMilliCPU
            packing.milliCPUOfHostsInUse += row.room.usableMilliCPU
        }
        return packing
    }
}
