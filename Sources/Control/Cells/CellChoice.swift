internal import Fleet
internal import Store

/// Chooses a cell for workloads that name none: filters, then most room.
struct CellChoice {
    private struct Room {
        var free: Resources
        var devices: [String: Int]
        var pools: Set<String>
        var labels: Set<String>
    }

    private var cells: [String: Room] = [:]
    /// The same for workloads of parts.
    var parted: PartedCellChoice

    /// - Parameters:
    ///   - pools: by name.
    init(hosts: [HostRecord], pools: [String: PoolSpec]) {
        parted = PartedCellChoice(hosts: hosts, pools: pools)
        for host in hosts where host.contact == .ready && !host.cordoned && !host.draining && !host.frozen {
            guard pools[host.pool]?.admits.contains(.vm) == true else { continue }
            var room = cells[host.cell] ?? Room(free: .zero, devices: [:], pools: [], labels: [])
            let usable = host.room.total - host.room.reserved
            room.free += Resources(
                milliCPU: max(0, usable.milliCPU - host.room.consumedMilliCPU),
                memoryMiB: max(0, usable.memoryMiB - host.room.usedMemoryMiB))
            for device in host.devices
            where device.health == .healthy && !host.takenDevices.contains(device.uuid) {
                room.devices[device.model, default: 0] += 1
            }
            room.pools.insert(host.pool)
            for (key, value) in host.labels { room.labels.insert("\(key)=\(value)") }
            cells[host.cell] = room
        }
    }

    /// The cell with most free CPU among those that have the pool, the labels, the devices and the room; its
    /// room is taken, so that a batch spreads. Ties end in the name.
    mutating func choose(
        resources: Resources, devices: [DeviceRequest], pool: String?, selector: [String: String]
    ) -> String? {
        let fitting = cells.filter { _, room in
            resources.fits(in: room.free) && pool.map(room.pools.contains) ?? true
                && devices.allSatisfy { (room.devices[$0.model] ?? 0) >= $0.count }
                && selector.allSatisfy { room.labels.contains("\($0)=\($1)") }
        }
        let best = fitting.max { lhs, rhs in
            (lhs.value.free.milliCPU, rhs.key) < (rhs.value.free.milliCPU, lhs.key)
        }
        guard let name = best?.key else { return nil }
        cells[name]?.free -= resources
        for device in devices { cells[name]?.devices[device.model, default: 0] -= device.count }
        return name
    }
}
