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

    @Test("Topology, memory, disks and interfaces come from sysfs; what is virtual is left out")
    func machineFacts() throws {
        let root = try machine()
        for (cpu, socket, core) in [(0, 0, 0), (1, 0, 0), (2, 1, 0), (3, 1, 0), (6, 1, 1)] {
            let base = "sys/devices/system/cpu/cpu\(cpu)/topology"
            try root.write("\(socket)\n", to: base + "/physical_package_id")
            try root.write("\(core)\n", to: base + "/core_id")
        }
        try root.write("0\n", to: "sys/devices/system/cpu/cpu5/online")
        try root.write("0-1\n", to: "sys/devices/system/node/node0/cpulist")
        try root.write("Node 0 MemTotal:       32768000 kB\n", to: "sys/devices/system/node/node0/meminfo")
        try root.write("16\n", to: "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
        try root.write("9\n", to: "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
        try root.write("4096000\n", to: "sys/block/nvme0n1/size")
        try root.write("0\n", to: "sys/block/nvme0n1/queue/rotational")
        try root.write("SAMSUNG MZ  \n", to: "sys/block/nvme0n1/device/model")
        try root.write("2048\n", to: "sys/block/sda/size")
        try root.write("1\n", to: "sys/block/sda/queue/rotational")
        try root.write("99\n", to: "sys/block/loop0/size")
        try root.write("0\n", to: "sys/block/sr0/size")
        for (name, speed) in [("eth0", "25000"), ("eth1", "-1")] {
            try root.write("aa:bb:cc:dd:ee:0f\n", to: "sys/class/net/\(name)/address")
            try root.write("\(speed)\n", to: "sys/class/net/\(name)/speed")
            try root.write("", to: "sys/class/net/\(name)/device/vendor")
        }
        try root.link("../../../../bus/pci/drivers/mlx5_core", at: "sys/class/net/eth0/device/driver")
        try root.write("00:00:00:00:00:00\n", to: "sys/class/net/lo/address")
        let inventory = try #require(
            try MachineInventory(root: root.path, nvmlLibrary: root.path + "/none.so").hosts().first
        ).inventory
        let facts = try #require(inventory.machine)
        #expect(facts.cpu == .init(threads: 5, cores: 3, sockets: 2))
        #expect(facts.cpu.hasSMT == true)
        #expect(
            facts.nodes == [
                .init(id: 0, cpus: "0-1", memoryMiB: 32_000), .init(id: 1, cpus: "", memoryMiB: 0),
            ])
        #expect(facts.hugePages == [.init(sizeKiB: 2048, total: 16, free: 9)])
        #expect(
            facts.disks == [
                .init(name: "nvme0n1", sizeMiB: 2000, isRotational: false, model: "SAMSUNG MZ"),
                .init(name: "sda", sizeMiB: 1, isRotational: true, model: nil),
            ])
        #expect(
            facts.nics == [
                .init(name: "eth0", mac: "aa:bb:cc:dd:ee:0f", megabitsPerSecond: 25_000, driver: "mlx5_core"),
                .init(name: "eth1", mac: "aa:bb:cc:dd:ee:0f", megabitsPerSecond: nil, driver: nil),
            ])
        #expect(facts.gpus.isEmpty && facts.defects.isEmpty && inventory.devices.isEmpty)
    }

    private func inventory(
        _ root: TemporaryDirectory, _ fault: StandInNVML.Fault = .none
    ) throws -> HostInventory {
        let library = try StandInNVML.build(in: root, fault: fault)
        return try #require(
            try MachineInventory(
                root: root.path, nvmlLibrary: library, deviceFile: root.path + "/devices.json"
            ).hosts().first
        ).inventory
    }

    @Test("GPUs come from NVML, with links, modes and errors")
    func nvml() throws {
        let root = try machine()
        try root.write("1\n", to: "sys/bus/pci/devices/0000:0b:00.0/numa_node")
        let inventory = try inventory(root)
        #expect(inventory.devices.map(\.uuid) == ["GPU-0", "GPU-1", "GPU-2"])
        #expect(
            inventory.devices.allSatisfy { $0.memoryMiB == 81_559 && $0.model == "NVIDIA H100 80GB HBM3" })
        #expect(inventory.devices.map(\.numaNode) == [nil, 1, nil])
        #expect(inventory.devices.map(\.nvlinkDomain) == ["node-17-nvlink-0", "node-17-nvlink-0", nil])
        #expect(inventory.devices.map(\.health) == [.healthy, .healthy, .degraded])
        let gpus = try #require(inventory.machine).gpus
        #expect(
            gpus == [
                .init(
                    uuid: "GPU-0", index: 0, pciBusID: "0000:0a:00.0", nvlinkPeers: ["GPU-1"],
                    eccEnabled: true, migEnabled: false, uncorrectedErrors: 0),
                .init(
                    uuid: "GPU-1", index: 1, pciBusID: "0000:0b:00.0", nvlinkPeers: ["GPU-0"],
                    eccEnabled: true, migEnabled: false, uncorrectedErrors: 0),
                .init(
                    uuid: "GPU-2", index: 2, pciBusID: "0000:0c:00.0", nvlinkPeers: [], eccEnabled: true,
                    migEnabled: nil, uncorrectedErrors: 4),
            ])
    }

    @Test("An NVML that fails is told and removes no device", arguments: StandInNVML.Fault.allCases)
    func failingNVML(_ fault: StandInNVML.Fault) throws {
        let root = try machine()
        let before = try inventory(root).devices
        let inventory = try inventory(root, fault)
        #expect(inventory.devices.map(\.uuid) == before.map(\.uuid))
        let health = inventory.devices.map(\.health)
        let defects = try #require(inventory.machine).defects
        switch fault {
        case .none: #expect(health == before.map(\.health) && defects.isEmpty)
        case .initFails:
            #expect(health == [.unknown, .unknown, .unknown])
            #expect(defects == ["NVML: nvmlInit: Driver Not Loaded (9)"])
        case .countFails:
            #expect(health == [.unknown, .unknown, .unknown])
            #expect(defects == ["NVML: nvmlDeviceGetCount: GPU is lost (15)"])
        case .deviceLost: #expect(health == [.healthy, .failed, .degraded] && defects.isEmpty)
        case .handleFails:
            #expect(health == [.healthy, .unknown, .degraded])
            #expect(defects == ["GPU 1: the GPU's identity: GPU is lost (15)"])
        }
        // The library that is gone removes nothing either, and one that works brings all back.
        let gone = MachineInventory(
            root: root.path, nvmlLibrary: root.path + "/none.so", deviceFile: root.path + "/devices.json")
        #expect(try gone.hosts().first?.inventory.devices.map(\.health) == [.unknown, .unknown, .unknown])
        #expect(try self.inventory(root).devices == before)
    }

    @Test("A library that is no NVML is told")
    func noNVML() throws {
        let root = try machine()
        try root.write("no library", to: "bad.so")
        let inventory = try #require(
            try MachineInventory(root: root.path, nvmlLibrary: root.path + "/bad.so").hosts().first
        ).inventory
        #expect(inventory.machine?.defects.first?.hasPrefix("NVML: ") == true)
    }
}
