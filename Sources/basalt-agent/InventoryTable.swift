internal import Fleet
internal import NodeAgent

/// An inventory as lines for people: a heading and its items.
struct InventoryTable {
    let host: InventoriedHost

    var text: String {
        let inventory = host.inventory
        var lines = [
            "Host      \(host.name)",
            "Capacity  \(inventory.capacity.milliCPU / 1000) vCPU, \(inventory.capacity.memoryMiB) MiB",
            "Reserved  \(inventory.reserved.milliCPU / 1000) vCPU, \(inventory.reserved.memoryMiB) MiB",
        ]
        for (key, value) in inventory.labels.sorted(by: { $0.key < $1.key }) {
            lines.append("Label     \(key)=\(value)")
        }
        if let machine = inventory.machine { lines += Self.lines(of: machine) }
        for device in inventory.devices {
            lines.append(
                "GPU       \(device.uuid) \(device.model), \(device.memoryMiB) MiB, \(device.health.rawValue)"
            )
        }
        for defect in inventory.machine?.defects ?? [] { lines.append("Defect    \(defect)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of machine: MachineFacts) -> [String] {
        let cpu = machine.cpu
        func told(_ value: Int?) -> String { value.map(String.init) ?? "?" }
        var lines = [
            "CPU       \(told(cpu.sockets)) sockets, \(told(cpu.cores)) cores, \(cpu.threads) threads"
        ]
        lines += machine.nodes.map { "NUMA      node \($0.id): CPUs \($0.cpus), \($0.memoryMiB) MiB" }
        lines += machine.hugePages.map { "HugePages \($0.sizeKiB) KiB: \($0.free) of \($0.total) free" }
        lines += machine.disks.map { disk in
            let kind = disk.isRotational ? "rotational" : "solid state"
            return "Disk      \(disk.name): \(disk.sizeMiB) MiB, \(kind)"
                + (disk.model.map { ", \($0)" } ?? "")
        }
        lines += machine.nics.map { nic in
            let speed = nic.megabitsPerSecond.map { "\($0) Mbit/s" } ?? "no link"
            return "NIC       \(nic.name): \(nic.mac), \(speed)" + (nic.driver.map { ", \($0)" } ?? "")
        }
        return lines
    }
}
