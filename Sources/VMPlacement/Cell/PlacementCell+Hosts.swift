public import Fleet

extension PlacementCell {
    /// Adds a host, or replaces what is known of it; the allocations on it stay.
    public mutating func upsert(host: HostSnapshot) {
        var row = makeRow(host)
        let key = HostKey(host.id)
        if let slot = hosts.slot(of: key) {
            let before = hosts.rows[slot]
            row.room.takeUse(from: before.room)
            row.allocations = before.allocations
            hosts.update(slot) { $0 = row }
        } else {
            if strayCount > 0 { adoptStrays(of: key, into: &row) }
            _ = hosts.insert(row)
        }
    }

    /// Forgets a host. Its allocations stay known and count again if the host comes back.
    public mutating func remove(host: ID<Document>) {
        guard let slot = hosts.slot(of: HostKey(host)) else { return }
        strayCount += hosts.rows[slot].allocations
        hosts.remove(at: slot)
    }

    private mutating func adoptStrays(of key: HostKey, into row: inout HostRow) {
        // Sums, so the order of the dictionary does not show.
        for allocation in held.values where allocation.host == key {
            row.room.add(allocation.resources, guaranteed: allocation.isGuaranteed)
            row.allocations += 1
        }
        strayCount -= row.allocations
    }

    private mutating func makeRow(_ host: HostSnapshot) -> HostRow {
        let pairs = host.labels.map { Label(key: $0.key, value: $0.value) }.sorted()
        let devices = host.devices.sorted { $0.uuid < $1.uuid }.map {
            DeviceRow(
                uuid: $0.uuid, model: models.intern($0.model), nvlinkDomain: $0.nvlinkDomain,
                numaNode: $0.numaNode, isHealthy: $0.health == .healthy,
                holders: deviceHolders[$0.uuid] ?? 0)
        }
        return HostRow(
            id: host.id, name: host.name, generation: host.generation, pool: pools.intern(host.pool),
            refusal: host.refusal, labels: pairs.map { labels.intern($0) }, rack: racks.intern(host.domain),
            zone: zones.intern(host.domain.zone), devices: devices,
            room: HostRoom(
                total: host.capacity, reserved: host.reserved, cpuRatioPerMille: host.cpuRatioPerMille))
    }
}

extension HostRoom {
    fileprivate mutating func takeUse(from other: HostRoom) {
        guaranteedMilliCPU = other.guaranteedMilliCPU
        sharedMilliCPU = other.sharedMilliCPU
        usedMemoryMiB = other.usedMemoryMiB
    }
}
