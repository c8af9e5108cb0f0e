import Fleet
import Store

extension CheckedFleet {
    /// Columns are the sums of the allocations, and the sums fit.
    ///
    /// Quarantined allocations hold room even past the limit, so they do not count against it. What is over
    /// is legal when the limit was lowered under it, and then it may only shrink.
    func brokenRooms() -> [Finding] {
        snapshot.hosts.flatMap { host in
            let subject = "host \(host.name)"
            let live = liveByHost[host.id] ?? []
            let sums = room(of: host, holding: live)
            if sums != host.room {
                let message = "its row says \(host.room.used), its allocations sum to \(sums.used)"
                return [Finding(subject: subject, message: message)]
            }
            let asked = room(of: host, holding: live.filter { !$0.quarantined })
            var found: [Finding] = []
            for allocation in live where !(0...allocation.resources.milliCPU).contains(allocation.peak) {
                let message =
                    "\(allocation.id) of \(allocation.resources.milliCPU) peaks at \(allocation.peak)"
                found.append(.init(subject: subject, message: message))
            }
            if !asked.memoryHolds, !isLegalExcess(asked, of: host, by: \.usedMemoryMiB, \.memoryHolds) {
                found.append(.init(subject: subject, message: "memory is over: \(asked.used)"))
            }
            // What the guaranteed class alone is over by is an invariant of its own.
            if !asked.cpuHolds, brokenGuarantee(of: host) == nil,
                !isLegalExcess(asked, of: host, by: \.consumedMilliCPU, \.cpuHolds)
            {
                found.append(.init(subject: subject, message: "CPU is over: \(asked.used)"))
            }
            return found
        } + brokenQuotas()
    }

    func room(of host: HostRecord, holding allocations: [Allocation]) -> HostRoom {
        var room = HostRoom(
            total: host.room.total, reserved: host.room.reserved,
            cpuRatioPerMille: host.room.cpuRatioPerMille,
            maxUtilizationPerMille: host.room.maxUtilizationPerMille)
        for allocation in allocations { room.add(allocation) }
        return room
    }

    /// Whether use above the limit came about by lowering the limit.
    ///
    /// Some earlier limit must have admitted the use, and under the present one it must never have been less
    /// and over. Without observations a host is believed when anything about it ever changed.
    func isLegalExcess(
        _ room: HostRoom, of host: HostRecord, by use: KeyPath<HostRoom, Int>,
        _ holds: KeyPath<HostRoom, Bool>
    ) -> Bool {
        let earlier = observations[host.id] ?? []
        guard !earlier.isEmpty else { return host.generation > 1 }
        let wasAdmitted = earlier.contains { observation in
            var then = room
            then.take(limitsOf: observation.room)
            return then[keyPath: holds]
        }
        let grew = earlier.contains { observation in
            observation.room.hasLimits(of: room)
                && observation.room[keyPath: use] < room[keyPath: use]
        }
        return wasAdmitted && !grew
    }

    private func brokenQuotas() -> [Finding] {
        snapshot.quotas.compactMap { quota in
            let own = live.filter { $0.workload.project == quota.project && !$0.isStandby }
            let sum =
                switch quota.resource {
                case .milliCPU: own.reduce(0) { $0 + $1.resources.milliCPU }
                case .memoryMiB: own.reduce(0) { $0 + $1.resources.memoryMiB }
                case .devices: own.reduce(0) { $0 + $1.devices.count }
                }
            guard sum != quota.used else { return nil }
            return Finding(
                subject: "project \(quota.project)",
                message: "\(quota.resource.rawValue) charged \(quota.used), allocated \(sum)")
        }
    }
}

extension Allocation {
    /// As admission counts it.
    fileprivate var peak: Int { peakMilliCPU ?? resources.milliCPU }
}

extension HostRoom {
    var used: String {
        """
        guaranteed \(guaranteedMilliCPU) and shared \(sharedMilliCPU), \
        \(sharedPeakMilliCPU) at most, of \(total.milliCPU - reserved.milliCPU) milliCPU at \(cpuRatioPerMille)/1000, \(usedMemoryMiB) of \(total.memoryMiB - reserved.memoryMiB) MiB
        """
    }

    func hasLimits(of other: HostRoom) -> Bool {
        (total, reserved) == (other.total, other.reserved) && cpuRatioPerMille == other.cpuRatioPerMille
            && maxUtilizationPerMille == other.maxUtilizationPerMille
    }

    mutating func take(limitsOf other: HostRoom) {
        (total, reserved) = (other.total, other.reserved)
        cpuRatioPerMille = other.cpuRatioPerMille
        maxUtilizationPerMille = other.maxUtilizationPerMille
    }
}
