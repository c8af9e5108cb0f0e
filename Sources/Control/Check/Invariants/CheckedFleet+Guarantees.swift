import Fleet
import Store

extension CheckedFleet {
    /// Guaranteed CPU fits the host whatever the ratio, unless the machine itself shrank under it.
    func brokenGuarantees() -> [Finding] {
        snapshot.hosts.compactMap { host in
            brokenGuarantee(of: host).map {
                Finding(subject: "host \(host.name)", message: "guaranteed CPU is over: \($0.used)")
            }
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
