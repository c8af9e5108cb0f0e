import Fleet
import Store

extension CheckedFleet {
    /// A device is installed in one host, and under one unreleased allocation that the host's row knows.
    func devicesHeldTwice() -> [Finding] {
        let shared = live.flatMap(\.devices).repeated().map { uuid in
            let holders = live.filter { $0.devices.contains(uuid) }.map(\.id.description).sorted()
            return Finding(
                subject: "device \(uuid)", message: "is under \(holders.joined(separator: ", "))")
        }
        let installed = snapshot.hosts.flatMap { $0.devices.map(\.uuid) }.repeated().map { uuid in
            let places = snapshot.hosts.filter { $0.devices.contains { $0.uuid == uuid } }.map(\.name)
            return Finding(
                subject: "device \(uuid)", message: "is in \(places.sorted().joined(separator: ", "))")
        }
        let unknown = snapshot.hosts.compactMap { host -> Finding? in
            let held = Set((liveByHost[host.id] ?? []).flatMap(\.devices))
            let differing = held.symmetricDifference(host.takenDevices).sorted()
            guard !differing.isEmpty else { return nil }
            return Finding(
                subject: "host \(host.name)",
                message: "its row and its allocations differ on \(differing.joined(separator: ", "))")
        }
        return shared + installed + unknown
    }
}
