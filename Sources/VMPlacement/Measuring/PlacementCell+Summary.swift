public import Fleet

extension PlacementCell {
    /// Hosts up to which stranding is measured for a summary: filling them up takes some ten milliseconds.
    static let strandingLimit = 500

    /// How full the hosts in service are packed: those in contact whose pool admits VMs, cordoned or not.
    ///
    /// - Parameter pool: nil counts all.
    public func summary(pool: String? = nil) -> PackingSummary {
        let number = pool.map { pools.number(of: $0) ?? CompiledRequest.unseen }
        var summary = PackingSummary(hosts: 0, emptyHosts: 0)
        for row in hosts.rows where number ?? row.tag.pool == row.tag.pool {
            guard row.refusal == nil || row.refusal == .hostCordoned else { continue }
            summary.hosts += 1
            if row.allocations == 0 { summary.emptyHosts += 1 }
        }
        guard summary.hosts <= Self.strandingLimit,
            let stranding = stranding(of: shapes.shares, pool: pool)
        else { return summary }
        summary.strandedCPUPerMille = Int((stranding.cpu * 1000).rounded())
        summary.strandedMemoryPerMille = Int((stranding.memory * 1000).rounded())
        return summary
    }

    /// Lets hosts take what they take in another cell of the same hosts.
    public mutating func reopen(as other: PlacementCell) {
        for slot in 0..<min(hosts.count, other.hosts.count)
        where hosts.rows[slot].refusal != other.hosts.rows[slot].refusal {
            hosts.update(slot) { $0.refusal = other.hosts.rows[slot].refusal }
        }
    }

    func isEmpty(_ host: ID<Document>) -> Bool {
        hosts.slot(of: HostKey(host)).map { hosts.rows[$0].allocations == 0 } ?? false
    }
}
