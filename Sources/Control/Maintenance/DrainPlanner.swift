internal import Fleet
internal import Store
internal import VMPlacement

/// Decides which VMs of a draining host are stopped next: those that another host can take now, a few at a time.
///
/// A VM that fits nowhere else is left alone and reported, so that a drain never turns a running VM into a
/// pending one while it can be seen beforehand.
enum DrainPlanner {
    struct Decision: Equatable {
        var releases: [ReleaseDirective] = []
        /// VMs that no other host takes now.
        var blocked: [String] = []
        /// Allocations still on the host, moving ones included.
        var left = 0
    }

    /// - Parameters:
    ///   - slots: VMs that may be stopping or waiting for their new place at once.
    static func decide(host: HostRecord, model: CellModel, slots: Int) -> Decision {
        var decision = Decision()
        var trial = model.placement
        let allocations = model.allocations(on: host.id)
        decision.left = allocations.count
        var free = slots - allocations.count { $0.state == .releasing }
        for allocation in allocations where allocation.state != .releasing && !allocation.quarantined {
            guard let vm = model.vms[allocation.workload.uid], vm.metadata.deletionTimestamp == nil,
                let request = vm.request(flavors: model.flavors)
            else { continue }
            let policy = request.pool.flatMap { model.pools[$0]?.placement } ?? .bestFit
            guard case .place(let choice) = trial.place(request, policy: policy) else {
                decision.blocked.append("\(allocation.workload.project)/\(allocation.workload.name)")
                continue
            }
            guard free > 0 else { continue }
            free -= 1
            // The place is taken in the trial, so that two VMs of the host are not promised the same room.
            var standIn = allocation
            standIn.id = ID(allocation.workload.uid.uuid)
            standIn.host = choice.host
            standIn.devices = choice.devices
            trial.add(standIn)
            decision.releases.append(
                ReleaseDirective(
                    allocation: allocation.id, reason: .hostDrained,
                    message: "host \(host.name) is drained; \(choice.hostName) has room"))
        }
        return decision
    }
}
