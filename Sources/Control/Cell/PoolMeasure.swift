internal import Fleet
internal import Store
internal import VMPlacement

/// What is measured of a pool's room, apart from the model, which goes on.
struct PoolMeasure {
    /// Shares of the largest host that count as large VMs.
    private static let large = [1, 2, 4]

    let pool: String
    let room: FreeRoom
    /// Sizes of the VMs that came in the last day; of those that are there when none came.
    let mix: [ShapeShare]

    /// - Parameter steps: hosts that one filling up looks at.
    func measured(steps: Int) -> PoolRoom {
        let stranding = room.stranding(of: mix, stepsAtMost: steps)
        func perMille(_ share: Double) -> Int { Int((share * 1000).rounded()) }
        return PoolRoom(
            hosts: room.hosts, emptyHosts: room.emptyHosts,
            strandedCpuPerMille: (stranding?.cpu).map(perMille),
            strandedMemoryPerMille: (stranding?.memory).map(perMille),
            obtainable: room.hosts == 0
                ? []
                : Self.large.map { divisor in
                    let shape = Resources(
                        milliCPU: room.largestHost.milliCPU / divisor,
                        memoryMiB: room.largestHost.memoryMiB / divisor)
                    return .init(
                        milliCPU: shape.milliCPU, memoryMiB: shape.memoryMiB, vms: room.copies(of: shape))
                })
    }
}

extension CellModel {
    /// The pools that take VMs, as they are now.
    func poolMeasures(now: Timestamp) -> [PoolMeasure] {
        pools.filter { $0.value.admits.contains(.vm) }.keys.sorted().map { pool in
            let recent = arrivals[pool]?.shares(at: clock.time(at: now)) ?? []
            return PoolMeasure(
                pool: pool, room: placement.freeRoom(ofPool: pool),
                mix: recent.isEmpty ? mixOfVMs(inPool: pool) : recent)
        }
    }

    private func mixOfVMs(inPool pool: String) -> [ShapeShare] {
        var mix = ArrivalMix()
        let one = Timestamp(microseconds: 0)
        for allocation in allocations.values
        where allocation.workload.kind == .vm && hosts[allocation.host]?.pool == pool {
            mix.note(allocation.resources, at: one)
        }
        return mix.shares(at: one)
    }
}
