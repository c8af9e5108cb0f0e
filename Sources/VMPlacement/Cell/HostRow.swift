import Fleet

/// What the cell knows of one host, beside the columns that every decision scans.
struct HostRow: Sendable {
    let id: ID<Document>
    let tag: HostTag
    var name: String
    var generation: Int
    /// The constraint by which the host refuses every VM.
    var refusal: Reason?
    /// Numbers of `key=value` pairs.
    var labels: [Int32]
    var devices: [DeviceRow]
    var room: HostRoom
    /// Unreleased allocations on the host.
    var allocations = 0
}

/// What the constraints beside room compare, small enough to be a column.
struct HostTag: Sendable {
    /// Number of the host's id, which it keeps while the host is away.
    let number: Int32
    let pool: Int32
    let rack: Int32
    let zone: Int32
}

/// One device of a host, in the order in which devices are given out.
struct DeviceRow: Sendable {
    var uuid: String
    var model: Int32
    var nvlinkDomain: String?
    var numaNode: Int?
    var isHealthy: Bool
    /// Unreleased allocations that name it; more than one is a violation that the cell carries, not repairs.
    var holders: Int

    var isFree: Bool { isHealthy && holders == 0 }
}

extension HostRow {
    /// Devices of a model that a request could be given.
    func freeDevices(of model: Int32) -> Int {
        var count = 0
        for device in devices where device.model == model && device.isFree { count += 1 }
        return count
    }

    func deviceCount(of model: Int32) -> Int {
        var count = 0
        for device in devices where device.model == model { count += 1 }
        return count
    }
}
