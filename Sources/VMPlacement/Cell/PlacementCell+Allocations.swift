public import Fleet

extension PlacementCell {
    /// Takes an allocation's capacity, devices and place in its group. One that is known already, or that is
    /// released, changes nothing.
    ///
    /// Nothing is checked: the ledger decides what exists, and the cell carries it even where a host is
    /// overfull.
    public mutating func add(_ allocation: Allocation) {
        guard allocation.state.consumesCapacity, held[allocation.id] == nil else { return }
        let key = HostKey(allocation.host)
        let group = allocation.antiAffinity.map {
            AntiAffinityGroups.Name(project: allocation.workload.project, group: $0.group)
        }
        let taken = HeldAllocation(
            host: key, resources: allocation.resources, isGuaranteed: allocation.isGuaranteed,
            devices: allocation.devices, group: group)
        held[allocation.id] = taken
        if let group, let scope = allocation.antiAffinity?.scope {
            groups.add(allocation.id, to: group, member: .init(host: key, scope: scope))
        }
        count(taken, sign: 1)
    }

    /// Gives back what an allocation took.
    ///
    /// - Returns: false when the cell does not know the allocation; nothing changes then.
    @discardableResult
    public mutating func remove(allocation id: ID<Allocation>) -> Bool {
        guard let taken = held.removeValue(forKey: id) else { return false }
        if let group = taken.group { groups.remove(id, from: group) }
        count(taken, sign: -1)
        return true
    }

    private mutating func count(_ taken: HeldAllocation, sign: Int) {
        for device in taken.devices {
            let holders = (deviceHolders[device] ?? 0) + sign
            deviceHolders[device] = holders == 0 ? nil : holders
        }
        guard let slot = hosts.slot(of: taken.host) else {
            strayCount += sign
            return
        }
        hosts.update(slot) { row in
            row.room.add(taken.resources, guaranteed: taken.isGuaranteed, sign: sign)
            row.allocations += sign
            for device in taken.devices { row.changeHolders(of: device, by: sign) }
        }
    }
}

extension HostRow {
    fileprivate mutating func changeHolders(of uuid: String, by sign: Int) {
        guard let index = devices.firstIndex(where: { $0.uuid == uuid }) else { return }
        devices[index].holders += sign
    }
}
