internal import Fleet
internal import Store
internal import TrainingScheduling

/// Hosts of one pool with devices of one model: what a round shares out.
struct TrainingField {
    struct Key: Hashable, Comparable {
        var pool: String
        /// Nil for hosts without devices: a CPU stands for each.
        var device: String?

        static func < (lhs: Key, rhs: Key) -> Bool {
            (lhs.pool, lhs.device ?? "") < (rhs.pool, rhs.device ?? "")
        }
    }

    let key: Key
    /// By id: their places are the nodes of a round.
    let hosts: [HostRecord]
    private(set) var machines: TrainingSpeeds.Machines

    init(_ key: Key, hosts: [HostRecord]) {
        self.key = key
        self.hosts = hosts.sorted { $0.id < $1.id }
        let counts = hosts.map { Self.devices(of: $0, model: key.device) }
        let memory = hosts.flatMap(\.devices).filter { $0.model == key.device }.map(\.memoryMiB).min()
        machines = TrainingSpeeds.Machines(
            devices: counts.reduce(0, +), devicesPerHost: counts.max() ?? 0,
            gibibytes: (memory ?? Self.anyMemoryMiB) / 1024)
    }

    /// The largest host, as a node of a round.
    var largest: TrainingNode {
        let nodes = hosts.map { host in
            TrainingNode(
                gpus: Self.devices(of: host, model: key.device), threads: host.usable.milliCPU / 1000,
                memoryMiB: host.usable.memoryMiB)
        }
        return nodes.max { ($0.gpus, $0.threads) < ($1.gpus, $1.threads) }
            ?? TrainingNode(gpus: 0, threads: 0, memoryMiB: 0)
    }

    /// The field as it would be with more hosts like the largest, as far as plans depend on it.
    func with(_ hosts: Int) -> TrainingField {
        var field = self
        field.machines.devices += hosts * largest.gpus
        return field
    }

    /// Of a CPU that stands for a device: as much as the largest that models were measured on.
    private static let anyMemoryMiB = 81_920

    /// Devices of a host, held or not; CPUs where it has none.
    static func devices(of host: HostRecord, model: String?) -> Int {
        guard let model else {
            return host.devices.isEmpty ? max(0, host.usable.milliCPU / 1000) : 0
        }
        return host.devices.count { $0.model == model && $0.health == .healthy }
    }

    /// Fields of a cell, by key.
    static func all(in model: CellModel) -> [Key: TrainingField] {
        var hosts: [Key: [HostRecord]] = [:]
        for host in model.hosts.values where model.pools[host.pool]?.admits.contains(.training) == true {
            let models: [String?] = host.devices.isEmpty ? [nil] : Set(host.devices.map(\.model)).map { $0 }
            for device in models { hosts[Key(pool: host.pool, device: device), default: []].append(host) }
        }
        return hosts.reduce(into: [:]) { $0[$1.key] = TrainingField($1.key, hosts: $1.value) }
    }

    /// Where a job is looked for: its pool, or else the one with the most devices of its model.
    static func of(_ spec: TrainingJobSpec, among fields: [Key: TrainingField]) -> TrainingField? {
        if let pool = spec.pool { return fields[Key(pool: pool, device: spec.deviceModel)] }
        return fields.values.filter { $0.key.device == spec.deviceModel }.max {
            ($0.machines.devices, $1.key) < ($1.machines.devices, $0.key)
        }
    }
}

extension HostRecord {
    /// What workloads may take of it.
    var usable: Resources {
        Resources(
            milliCPU: max(0, room.total.milliCPU - room.reserved.milliCPU),
            memoryMiB: max(0, room.total.memoryMiB - room.reserved.memoryMiB))
    }

    /// Whether a part may start on it.
    var takesParts: Bool {
        contact == .ready && !cordoned && !draining && substrate != CellModel.observedSubstrate
    }
}
