internal import Fleet
internal import Store

/// What a workload of parts asks of the cell that it is given.
struct CellWish {
    /// Pools that admit it.
    var use: PoolSpec.Use
    /// Any when nil.
    var pool: String?
    /// Models of devices that will do; nil in it stands for CPUs. All do when nil.
    var devices: [String?]?
    /// Devices that a pool must have, held or not: with fewer it could never run.
    var least = 1
    /// What it takes of the free ones; all of them when nil.
    var taken: Int?
}

/// Chooses a cell for workloads of parts that name none: filters, then most room.
struct PartedCellChoice {
    private struct Key: Hashable {
        var use: PoolSpec.Use
        var cell: String
        var pool: String
        /// Nil for hosts without devices: a CPU stands for each.
        var device: String?
    }

    private struct Room {
        var total = 0
        var free = 0
    }

    private static let uses: [PoolSpec.Use] = [.training, .serving]
    private var rooms: [Key: Room] = [:]

    /// - Parameter pools: by name.
    init(hosts: [HostRecord], pools: [String: PoolSpec]) {
        for host in hosts where host.takesParts && !host.frozen {
            let models: [String?] = host.devices.isEmpty ? [nil] : Set(host.devices.map(\.model)).map { $0 }
            for use in Self.uses where pools[host.pool]?.admits.contains(use) == true {
                for model in models {
                    let key = Key(use: use, cell: host.cell, pool: host.pool, device: model)
                    rooms[key, default: Room()].total += TrainingField.devices(of: host, model: model)
                    rooms[key, default: Room()].free += Self.free(of: host, model: model)
                }
            }
        }
    }

    private static func free(of host: HostRecord, model: String?) -> Int {
        guard let model else {
            return max(0, host.usable.milliCPU - host.room.consumedMilliCPU) / 1000
        }
        return host.devices.count {
            $0.model == model && $0.health == .healthy && !host.takenDevices.contains($0.uuid)
        }
    }

    /// The cell with most free devices of one model in one pool among those that have enough at all; they are
    /// taken, so that a batch spreads. Ties end in the name.
    mutating func choose(_ wish: CellWish) -> String? {
        let fitting = rooms.filter { key, room in
            key.use == wish.use && room.total >= wish.least && wish.devices?.contains(key.device) ?? true
                && wish.pool.map { $0 == key.pool } ?? true
        }
        let best = fitting.max { lhs, rhs in
            if lhs.value.free != rhs.value.free { return lhs.value.free < rhs.value.free }
            if lhs.value.total != rhs.value.total { return lhs.value.total < rhs.value.total }
            return (rhs.key.cell, rhs.key.pool, rhs.key.device ?? "")
                < (lhs.key.cell, lhs.key.pool, lhs.key.device ?? "")
        }
        guard let key = best?.key else { return nil }
        rooms[key]?.free -= wish.taken ?? best?.value.free ?? 0
        return key.cell
    }
}

extension TrainingJobRecord {
    static let nowhere = "no cell has a pool for training with such devices"

    var cell: String? { spec.cell ?? status.cell }

    var wish: CellWish {
        CellWish(
            use: .training, pool: spec.pool, devices: [spec.deviceModel],
            least: spec.profile?.map { $0.placement.reduce(0, +) }.min() ?? 1, taken: spec.devices)
    }

    func housed(in cell: String?, _ scheduled: Condition) throws -> String? {
        var next = status
        next.observedGeneration = metadata.generation
        next.cell = cell
        next.conditions.set(scheduled)
        return next == status ? nil : try CellPipeline.encoded(next)
    }
}

extension ServingDeploymentRecord {
    static let nowhere = "no cell has a pool for serving with a device or a CPU"

    var cell: String? { spec.cell ?? status.cell }

    /// Which devices serve best, the search in the cell finds out.
    var wish: CellWish { CellWish(use: .serving, pool: spec.pool) }

    func housed(in cell: String?, _ scheduled: Condition) throws -> String? {
        var next = status
        next.observedGeneration = metadata.generation
        next.cell = cell
        next.conditions.set(scheduled)
        return next == status ? nil : try CellPipeline.encoded(next)
    }
}
