import Fleet
import NodeAgent
import Testing

@Suite("Inventory of a real machine")
struct MachineInventoryTests {
    private func machine() throws -> TemporaryDirectory {
        let root = try TemporaryDirectory()
        try root.write("0-3,6\n", to: "sys/devices/system/cpu/online")
        try root.write("", to: "sys/devices/system/node/node0/cpulist")
        try root.write("", to: "sys/devices/system/node/node1/cpulist")
        try root.write("", to: "sys/devices/system/node/online")
        try root.write("MemTotal:       65536000 kB\nMemFree: 1 kB\n", to: "proc/meminfo")
        try root.write(
            "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon (R) 8480: 2.0GHz\n",
            to: "proc/cpuinfo")
        try root.write("6.1.0-18-amd64\n", to: "proc/sys/kernel/osrelease")
        try root.write("Node-17\n", to: "proc/sys/kernel/hostname")
        return root
    }

    @Test("Capacity, reserve and labels come from proc and sys; the host is observed only")
    func facts() throws {
        let root = try machine()
        let hosts = try MachineInventory(root: root.path).hosts()
        #expect(hosts.map(\.name) == ["node-17"])
        let inventory = try #require(hosts.first).inventory
        #expect(inventory.capacity == Resources(milliCPU: 5000, memoryMiB: 64_000))
        #expect(inventory.reserved == Resources(milliCPU: 1000, memoryMiB: 2024))
        #expect(
            inventory.labels == [
                "cpu.vendor": "GenuineIntel", "cpu.model": "Xeon (R) 8480: 2.0GHz",
                "kernel": "6.1.0-18-amd64", "numa.nodes": "2",
            ])
        #expect(inventory.devices.isEmpty)
        #expect(inventory.substrate == "observe")
    }

    @Test("NVIDIA devices come from the driver's files")
    func devices() throws {
        let root = try machine()
        for (address, uuid) in [("0000:81:00.0", "GPU-b"), ("0000:01:00.0", "GPU-a")] {
            try root.write(
                "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 37\nGPU UUID: \t \(uuid)\n",
                to: "proc/driver/nvidia/gpus/\(address)/information")
        }
        try root.write("1\n", to: "sys/bus/pci/devices/0000:81:00.0/numa_node")
        try root.write("-1\n", to: "sys/bus/pci/devices/0000:01:00.0/numa_node")
        let devices = try #require(try MachineInventory(root: root.path).hosts().first).inventory.devices
        #expect(devices.map(\.uuid) == ["GPU-a", "GPU-b"])
        #expect(devices.map(\.numaNode) == [nil, 1])
        #expect(devices.first?.model == "NVIDIA H100 80GB HBM3")
    }

    @Test(
        "A file that makes no sense is named, not guessed around",
        arguments: [
            ("sys/devices/system/cpu/online", "0-"), ("sys/devices/system/cpu/online", "5-2"),
            ("sys/devices/system/cpu/online", "0-9223372036854775807"), ("proc/meminfo", "MemTotal: much"),
            ("proc/sys/kernel/hostname", "(none)"),
            ("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: x\n"),
        ])
    func defects(_ path: String, _ text: String) throws {
        let root = try machine()
        try root.write(text, to: path)
        let error = #expect(throws: MachineInventoryError.self) {
            try MachineInventory(root: root.path).hosts()
        }
        #expect(error?.path == path)
    }
}
