internal import Fleet
internal import VMPlacement

extension CellModel {
    /// When a VM that waits for room may get it, if the VMs that run end when their lifetime hints say.
    ///
    /// - Parameters:
    ///   - now: fleet time, in which hints count.
    ///   - fleetTime: fleet time of a time of the ledger.
    func estimate(
        for vm: VMRecord, now: Timestamp, fleetTime: (Timestamp) -> Timestamp
    ) -> PlacementEstimate? {
        guard let request = vm.request(flavors: flavors) else { return nil }
        var ends: [ID<Allocation>: Timestamp] = [:]
        for (id, allocation) in allocations {
            guard let hint = vms[allocation.workload.uid]?.spec.lifetimeHintSeconds else { continue }
            let end = fleetTime(allocation.createdAt).advanced(by: .seconds(hint))
            if end > now { ends[id] = end }
        }
        guard !ends.isEmpty else {
            return PlacementEstimate(
                at: nil, host: nil, message: "no VM of the cell has a lifetime hint that is not over")
        }
        guard let room = placement.expectedRoom(for: request, ends: ends, now: now) else {
            return PlacementEstimate(
                at: nil, host: nil,
                message: "no host gets room by the VMs that end when their lifetime hints say")
        }
        return PlacementEstimate(
            at: room.at, host: room.host,
            message:
                "host \(room.host) has room at \(room.at) if VMs end by their hints; the queue is not counted"
        )
    }
}
