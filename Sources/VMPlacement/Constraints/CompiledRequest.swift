import Fleet

/// A request in the numbers of one cell, made once per decision.
struct CompiledRequest: Sendable {
    /// Milli-vCPU and MiB, as the columns hold them.
    let milliCPU: Int32
    let memoryMiB: Int32
    let isGuaranteed: Bool
    let resources: Resources
    /// Number of the pool; nil for any, `Self.unseen` for one that no host is in.
    let pool: Int32?
    /// By number of host, whether it carries every label selected; nil when none is.
    let carriers: [Bool]?
    let devices: [DeviceDemand]
    let blocked: BlockedDomains?

    struct DeviceDemand: Sendable {
        let model: Int32
        let name: String
        let count: Int
    }

    /// A number that no interner gives.
    static let unseen: Int32 = -1

    /// Whether CPU and memory are all there is to check on a host that admits VMs.
    var isPlain: Bool { pool == nil && carriers == nil && devices.isEmpty && blocked == nil }
}

extension CompiledRequest {
    /// Whether a host that has the CPU and memory and admits VMs passes the remaining constraints.
    @inline(__always)
    func admits(_ slot: Int, of hosts: HostTable) -> Bool {
        let tag = hosts.tags[slot]
        guard matchesPool(tag), matchesLabels(tag), isApart(tag) else { return false }
        return devices.isEmpty || (hosts.hasDevices[slot] != 0 && hasDevices(hosts.rows[slot]))
    }

    @inline(__always)
    func matchesPool(_ tag: HostTag) -> Bool {
        guard let pool else { return true }
        return tag.pool == pool
    }

    @inline(__always)
    func matchesLabels(_ tag: HostTag) -> Bool {
        guard let carriers else { return true }
        return carriers[Int(tag.number)]
    }

    func hasDevices(_ row: HostRow) -> Bool {
        for demand in devices where row.freeDevices(of: demand.model) < demand.count { return false }
        return true
    }

    @inline(__always)
    func isApart(_ tag: HostTag) -> Bool {
        guard let blocked else { return true }
        return !blocked.contains(tag)
    }
}
