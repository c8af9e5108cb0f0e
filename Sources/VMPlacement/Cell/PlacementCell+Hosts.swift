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
            uncarry(before)
            hosts.update(slot) { $0 = row }
        } else {
            let hasStrays = strayCount > 0
            if hasStrays { adoptStrays(of: key, into: &row) }
            let slot = hosts.insert(row)
            lifetimes?.insert(at: slot)
            if hasStrays { rebuildLifetimes(at: slot) }
        }
        for label in row.labels { carriers[Int(label)].append(row.tag.number) }
    }

    /// Forgets a host. Its allocations stay known and count again if the host comes back.
    public mutating func remove(host: ID<Document>) {
        guard let slot = hosts.slot(of: HostKey(host)) else { return }
        strayCount += hosts.rows[slot].allocations
        uncarry(hosts.rows[slot])
        hosts.remove(at: slot)
        lifetimes?.remove(at: slot)
    }

    private mutating func adoptStrays(of key: HostKey, into row: inout HostRow) {
        // Sums, so the order of the dictionary does not show.
        for allocation in held.values where allocation.host == key {
            row.room.add(
                allocation.resources, guaranteed: allocation.isGuaranteed, spared: allocation.sparedMilliCPU)
            row.allocations += 1
        }
        strayCount -= row.allocations
    }

    private mutating func uncarry(_ row: HostRow) {
        for label in row.labels { carriers[Int(label)].removeAll { $0 == row.tag.number } }
    }

    private mutating func intern(_ label: Label) -> Int32 {
        let number = labels.intern(label)
        if Int(number) == carriers.count { carriers.append([]) }
        return number
    }

    private mutating func makeRow(_ host: HostSnapshot) -> HostRow {
        let pairs = host.labels.map { Label(key: $0.key, value: $0.value) }.sorted()
        let devices = host.devices.sorted { $0.uuid < $1.uuid }.map {
            DeviceRow(
                uuid: $0.uuid, model: models.intern($0.model), nvlinkDomain: $0.nvlinkDomain,
                numaNode: $0.numaNode, isHealthy: $0.health == .healthy,
                holders: deviceHolders[$0.uuid] ?? 0)
        }
        let tag = HostTag(
            number: hostNumbers.intern(HostKey(host.id)), pool: pools.intern(host.pool),
            rack: racks.intern(host.domain), zone: zones.intern(host.domain.zone))
        return HostRow(
            id: host.id, tag: tag, name: host.name, generation: host.generation, refusal: host.refusal,
            labels: pairs.map { intern($0) }, devices: devices,
            room: HostRoom(
                total: host.capacity, reserved: host.reserved, cpuRatioPerMille: host.cpuRatioPerMille,
                maxUtilizationPerMille: host.maxUtilizationPerMille))
    }
}

extension HostRoom {
    fileprivate mutating func takeUse(from other: HostRoom) {
        guaranteedMilliCPU = other.guaranteedMilliCPU
        sharedMilliCPU = other.sharedMilliCPU
        sparedMilliCPU = other.sparedMilliCPU
        usedMemoryMiB = other.usedMemoryMiB
    }
}
