import Fleet
import Store

extension CheckedFleet {
    /// Guaranteed CPU fits the host whatever the ratio, unless the machine itself shrank under it.
    func brokenGuarantees() -> [Finding] {
        snapshot.hosts.compactMap { host in
            brokenGuarantee(of: host).map {
                Finding(subject: "host \(host.name)", message: "guaranteed CPU is over: \($0.used)")
            }
        } + foretoldGuarantees()
    }

    /// What is guaranteed counts whole, whatever it is thought to use.
    private func foretoldGuarantees() -> [Finding] {
        snapshot.allocations.compactMap { allocation in
            guard allocation.isGuaranteed, allocation.state.consumesCapacity,
                let peak = allocation.peakMilliCPU
            else { return nil }
            return Finding(
                subject: "allocation \(allocation.id)",
                message: "is guaranteed and counts as \(peak) milliCPU")
        }
    }

    /// What the guaranteed class holds of a host when that is too much; nil when it fits.
    func brokenGuarantee(of host: HostRecord) -> HostRoom? {
        let asked = (liveByHost[host.id] ?? []).filter { !$0.quarantined && $0.isGuaranteed }
        let room = room(of: host, holding: asked)
        guard !room.cpuHolds, !isLegalExcess(room, of: host, by: \.guaranteedMilliCPU, \.cpuHolds) else {
            return nil
        }
        return room
    }
}
