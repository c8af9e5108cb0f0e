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
    /// Numbers of the labels; `Self.unseen` for one that no host carries.
    let labels: [Int32]
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
    var isPlain: Bool { pool == nil && labels.isEmpty && devices.isEmpty && blocked == nil }
}

extension CompiledRequest {
    /// Whether a host that has the CPU and memory and admits VMs passes the remaining constraints.
    func admits(_ row: HostRow) -> Bool {
        matchesPool(row) && matchesLabels(row) && hasDevices(row) && isApart(row)
    }

    func matchesPool(_ row: HostRow) -> Bool {
        guard let pool else { return true }
        return row.pool == pool
    }

    func matchesLabels(_ row: HostRow) -> Bool {
        for label in labels where !row.labels.contains(label) { return false }
        return true
    }

    func hasDevices(_ row: HostRow) -> Bool {
        for demand in devices where row.freeDevices(of: demand.model) < demand.count { return false }
        return true
    }

    func isApart(_ row: HostRow) -> Bool {
        guard let blocked else { return true }
        return !blocked.contains(row)
    }
}
