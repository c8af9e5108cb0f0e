public import Fleet

extension PlacementCell {
    /// Takes an allocation's capacity, devices and place in its group. One that is known already, or that is
    /// released, changes nothing.
    ///
    /// Nothing is checked: the ledger decides what exists, and the cell carries it even where a host is
    /// overfull.
    ///
    /// - Parameters:
    ///   - lifetime: what predictions go by; what the allocation shows of it when nil.
    ///   - time: when it came, on the fleet clock; its creation when nil.
    /// - Returns: what was predicted, to be remembered with the allocation; nil where lifetimes are not
    ///   tracked or nothing changed.
    @discardableResult
    public mutating func add(
        _ allocation: Allocation, lifetime: VMLifetime? = nil, at time: Timestamp? = nil
    ) -> PredictedLifetime? {
        guard allocation.state.consumesCapacity, held[allocation.id] == nil else { return nil }
        let key = HostKey(allocation.host)
        let group = allocation.antiAffinity.map {
            AntiAffinityGroups.Name(project: allocation.workload.project, group: $0.group)
        }
        let taken = HeldAllocation(
            host: key, resources: allocation.resources, isGuaranteed: allocation.isGuaranteed,
            sparedMilliCPU: allocation.sparedMilliCPU, devices: allocation.devices,
            lifetime: lifetime
                ?? VMLifetime(features: VMFeatures(allocation), startedAt: allocation.createdAt),
            group: group)
        held[allocation.id] = taken
        if let group, let scope = allocation.antiAffinity?.scope {
            groups.add(allocation.id, to: group, member: .init(host: key, scope: scope))
        }
        count(taken, sign: 1)
        lifetimes?.advance(to: (time ?? allocation.createdAt).microseconds)
        guard lifetimes != nil, let slot = hosts.slot(of: key) else { return nil }
        return lifetimes?.add(allocation.id, taken.lifetime, at: slot, room: hosts.rows[slot].room)
    }

    /// Gives back what an allocation took.
    ///
    /// - Parameters:
    ///   - endedAt: when its VM ended, on the fleet clock, from which predictions are judged; nil when it
    ///     only moved, or never came to be.
    ///   - movedAt: when it moved; now when nil.
    /// - Returns: false when the cell does not know the allocation; nothing changes then.
    @discardableResult
    public mutating func remove(
        allocation id: ID<Allocation>, endedAt: Timestamp? = nil, movedAt: Timestamp? = nil
    )
        -> Bool
    {
        guard let taken = held.removeValue(forKey: id) else { return false }
        if let group = taken.group { groups.remove(id, from: group) }
        count(taken, sign: -1)
        if let endedAt { lifetimes?.advance(to: endedAt.microseconds) }
        if lifetimes != nil, let slot = hosts.slot(of: taken.host) {
            let time = endedAt ?? movedAt ?? Timestamp(microseconds: lifetimes?.now ?? 0)
            lifetimes?.remove(id, at: slot, time: time.microseconds, hasEnded: endedAt != nil)
        }
        return true
    }

    /// Takes over what an allocation that the cell counts is predicted to use.
    ///
    /// - Returns: whether its host may take more than before.
    @discardableResult
    public mutating func foresee(_ allocation: Allocation) -> Bool {
        guard var taken = held[allocation.id], taken.sparedMilliCPU != allocation.sparedMilliCPU else {
            return false
        }
        let more = allocation.sparedMilliCPU - taken.sparedMilliCPU
        taken.sparedMilliCPU += more
        held[allocation.id] = taken
        guard let slot = hosts.slot(of: taken.host) else { return false }
        hosts.update(slot) { $0.room.sparedMilliCPU += more }
        return more > 0
    }

    private mutating func count(_ taken: HeldAllocation, sign: Int) {
        shapes.change(taken.resources, by: sign)
        for device in taken.devices {
            let holders = (deviceHolders[device] ?? 0) + sign
            deviceHolders[device] = holders == 0 ? nil : holders
        }
        guard let slot = hosts.slot(of: taken.host) else {
            strayCount += sign
            return
        }
        hosts.update(slot) { row in
            row.room.add(
                taken.resources, guaranteed: taken.isGuaranteed, spared: taken.sparedMilliCPU, sign: sign)
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
