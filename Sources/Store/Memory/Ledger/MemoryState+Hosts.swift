import AgentProtocol
import Fleet

extension MemoryState {
    func hosts(_ filter: HostFilter) -> [HostRecord] {
        let found: [HostRow] =
            switch filter {
            case .all: Array(hosts.values)
            case .cell(let cell): hosts.values.filter { $0.record.cell == cell }
            case .ids(let ids): Set(ids).compactMap { hosts[$0] }
            case .session(let session): (hostsOfSession[session] ?? []).compactMap { hosts[$0] }
            }
        return found.map(\.record).sorted { $0.id < $1.id }
    }

    func assignments(
        of ids: [ID<Document>], known: [ID<Document>: Int]
    ) throws -> [HostAssignmentRecord] {
        try hosts(.ids(ids)).filter { $0.assignment > known[$0.id] ?? .min }.map { host in
            var record = HostAssignmentRecord(
                host: host.id, name: host.name,
                generation: Generation(epoch: cluster.epoch, number: host.assignment),
                allocations: listed(on: host.id))
            for allocation in record.allocations { record.tasks[allocation.id] = try task(of: allocation) }
            return record
        }
    }

    private func listed(on host: ID<Document>) -> [Allocation] {
        let strays = strays.filter { $0.value == host }.compactMap { allocations[$0.key] }
        return (allocations.matching(.hosts([host])).filter { !isWithheld($0) } + strays)
            .sorted { $0.id < $1.id }
    }

    /// Whether an agent is not told of an allocation: after a restore, while others may yet report the same
    /// part, and as long as a quarantined copy of the part runs.
    private func isWithheld(_ allocation: Allocation) -> Bool {
        guard !allocation.quarantined, allocation.state == .reserved || allocation.state == .active else {
            return false
        }
        if allocation.isStandby { return true }
        if quarantinedCells.contains(allocation.cell), let raisedAt, allocation.createdAt < raisedAt {
            return true
        }
        return hasQuarantinedCopy(allocation)
    }

    /// Whether a quarantined allocation of the same part is not released.
    func hasQuarantinedCopy(_ allocation: Allocation) -> Bool {
        allocations.live(ofWorkload: allocation.workload.uid).compactMap { allocations[$0] }.contains {
            $0.quarantined && $0.workload.part == allocation.workload.part
        }
    }

    private func task(of allocation: Allocation) throws -> PartTask? {
        guard allocation.state == .reserved || allocation.state == .active, !allocation.quarantined,
            let document = documents[allocation.workload.uid]
        else { return nil }
        if let task = allocation.task { return task }
        let task = try DocumentJSON.decode(PartTask.self, from: document.spec)
        return task == PartTask() ? nil : task
    }

    /// Makes the row of a new host document. Without a status it has no room, and it is suspect until a
    /// session brings it.
    mutating func insertHostRow(for resource: Resource) throws {
        let spec = try DocumentJSON.decode(HostSpec.self, from: resource.spec)
        // why `try?`: a draft may have no status.
        let status = try? DocumentJSON.decode(HostStatus.self, from: resource.status)
        let inventory =
            status?.inventory ?? HostInventory(capacity: .zero, substrate: "")
        let rate = try rate(ofHost: resource.metadata.uid, pool: spec.pool, cell: spec.cell)
        let room = HostRoom(
            total: inventory.capacity, reserved: inventory.reserved, cpuRatioPerMille: rate.ratioPerMille,
            maxUtilizationPerMille: rate.maxUtilizationPerMille)
        let record = HostRecord(
            id: resource.metadata.uid, name: resource.metadata.name, cell: spec.cell, pool: spec.pool,
            labels: inventory.labels.merging(resource.metadata.labels) { $1 }, domain: inventory.domain,
            substrate: inventory.substrate, generation: 1, assignment: 0, cordoned: spec.cordoned == true,
            draining: spec.draining == true, contact: status?.contact ?? .suspect, session: nil, room: room,
            devices: inventory.devices, takenDevices: [])
        hosts[record.id] = HostRow(record: record, inventoryLabels: inventory.labels)
        for device in inventory.devices { hostOfDevice[device.uuid] = record.id }
    }

    mutating func removeHostRow(_ id: ID<Document>) {
        guard let row = hosts.removeValue(forKey: id) else { return }
        hostLifetimes[id] = nil
        guards[id] = nil
        hostOfDevice = hostOfDevice.filter { $0.value != id }
        strays = strays.filter { $0.value != id }
        if let session = row.record.session { hostsOfSession[session]?.remove(id) }
    }

    /// First host by id.
    func firstHost(where matches: (HostRecord) -> Bool) -> HostRecord? {
        hosts.values.map(\.record).filter(matches).min { $0.id < $1.id }
    }

    /// Raises what agents are told of hosts, once per host.
    mutating func raiseAssignments(of ids: Set<ID<Document>>) {
        for id in ids { hosts[id]?.record.assignment += 1 }
    }

    /// Frees what an allocation holds: room, devices and quota. Nothing of it is used afterwards. A migration
    /// that it has part in is settled with it.
    mutating func release(_ allocation: Allocation, source: String) {
        var released = allocation
        released.state = .released
        released.releasedAt = now
        hosts[allocation.host]?.free(allocation)
        if !allocation.isStandby {
            usage[allocation.workload.project, default: QuotaUsage()].add(allocation, sign: -1)
        }
        allocations.put(released)
        record(.updated, of: released)
        settleMigrations(of: released, source: source)
    }
}
