internal import AgentProtocol
internal import Fleet
internal import Foundation

extension SimulatedFleetSpec {
    func name(ofHost index: Int) -> String {
        let digits = String(max(0, count - 1)).count
        let number = String(index)
        return "\(namePrefix)-\(String(repeating: "0", count: max(0, digits - number.count)))\(number)"
    }

    /// The hosts, sorted by name; the same for the same spec.
    public var hosts: [InventoriedHost] {
        (0..<count).map { index in
            InventoriedHost(
                name: name(ofHost: index),
                inventory: HostInventory(
                    capacity: capacity, reserved: reserved, devices: devices(ofHost: index),
                    domain: domain(ofHost: index), labels: labels, substrate: SubstrateName.simulated))
        }
    }

    private func domain(ofHost index: Int) -> FailureDomain {
        let zone = index % zones
        let rack = index / zones % racksPerZone
        return FailureDomain(zone: "zone-\(zone)", rack: "zone-\(zone)-rack-\(rack)")
    }

    private func devices(ofHost index: Int) -> [Device] {
        guard let devices,
            index * devices.hostsPerMille / 1000 != (index + 1) * devices.hostsPerMille / 1000
        else { return [] }
        let host = name(ofHost: index)
        return (0..<devices.perHost).map { number in
            Device(
                uuid: "GPU-\(deviceID(host: host, number: number))", model: devices.model,
                memoryMiB: devices.memoryMiB, numaNode: number * 2 / max(1, devices.perHost),
                nvlinkDomain: devices.perHost > 1 ? "\(host)-nvlink" : nil)
        }
    }

    private func deviceID(host: String, number: Int) -> String {
        var random = SplitMix64(seed: seed ^ StableHash.of(Array("\(host)/\(number)".utf8)))
        let (high, low) = (random.next(), random.next())
        func bytes(_ word: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
        let hex = (bytes(high) + bytes(low)).hexadecimal
        let ends = [0, 8, 12, 16, 20, 32]
        return zip(ends, ends.dropFirst()).map { String(hex.dropFirst($0).prefix($1 - $0)) }
            .joined(separator: "-")
    }
}
