import Fleet

extension PlacementCell {
    /// Adds what decides placements: per host in the order of ids the generation, which stands for inventory,
    /// schedulability and ratio, the contact, the room and the devices taken.
    func combine(into hash: inout StableHash) {
        hash.combine(name)
        hash.combine(hosts.count)
        for slot in 0..<hosts.count {
            let row = hosts.rows[slot]
            hosts.keys[slot].combine(into: &hash)
            hash.combine(row.generation)
            hash.combine(row.refusal?.rawValue ?? "")
            hash.combine(row.allocations)
            row.room.combine(into: &hash)
            for device in row.devices { hash.combine(device.isFree ? 1 : 0) }
            lifetimes?.combine(slot, into: &hash)
        }
    }
}

extension HostRoom {
    fileprivate func combine(into hash: inout StableHash) {
        hash.combine(total.milliCPU)
        hash.combine(total.memoryMiB)
        hash.combine(reserved.milliCPU)
        hash.combine(reserved.memoryMiB)
        hash.combine(guaranteedMilliCPU)
        hash.combine(sharedMilliCPU)
        hash.combine(usedMemoryMiB)
        hash.combine(cpuRatioPerMille)
        hash.combine(sparedMilliCPU)
        hash.combine(maxUtilizationPerMille ?? -1)
    }
}

extension LifetimeTable {
    fileprivate func combine(_ slot: Int, into hash: inout StableHash) {
        hash.combine(Int(exits[slot]))
        hash.combine(Int(states[slot].rawValue))
        hash.combine(Int(classes[slot]))
        hash.combine(Int(deadlines[slot]))
    }
}
