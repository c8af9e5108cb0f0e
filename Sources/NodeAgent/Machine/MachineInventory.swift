internal import Fleet
internal import Foundation

/// The machine the agent runs on, read from `/proc` and `/sys`.
///
/// The default substrate is `observe`: the host is shown, and the agent refuses placements.
public struct MachineInventory: InventorySource {
    public enum Reserve {
        /// One vCPU for kernel, agent and shims.
        public static let milliCPU = 1000
        /// 1 GiB, and 1/64 of the memory for page tables and shims.
        public static let memoryMiB = 1024
        public static let memoryDivisor = 64
    }

    public enum Limit {
        /// Nodes, CPUs and devices looked at; above the largest machine sold today.
        public static let entries = 16_384
        /// Label values are cut to this length, characters.
        public static let labelLength = 128
    }

    private let files: SystemFiles
    private let name: String?
    private let substrate: String
    private let labels: [String: String]
    private let nvmlLibrary: String
    private let known: KnownDevices?

    /// - Parameters:
    ///   - root: directory that holds `proc` and `sys`; empty for the machine's own.
    ///   - name: name of the host; the kernel's host name, lower case, when nil.
    ///   - labels: facts to add to those of the machine.
    ///   - nvmlLibrary: NVIDIA's management library, by name or path; the usual name when nil.
    ///   - deviceFile: remembers the devices that were found; without it none is missed.
    public init(
        root: String = "", name: String? = nil, substrate: String = SubstrateName.observe,
        labels: [String: String] = [:], nvmlLibrary: String? = nil, deviceFile: String? = nil
    ) {
        files = SystemFiles(root: root)
        self.name = name
        self.substrate = substrate
        self.labels = labels
        self.nvmlLibrary = nvmlLibrary ?? NVML.standardLibrary
        known = deviceFile.map(KnownDevices.init)
    }

    /// The one host.
    /// - Throws: `MachineInventoryError`.
    public func hosts() throws -> [InventoriedHost] {
        let cpuInfo = files.text("proc/cpuinfo") ?? ""
        let (name, threads) = (try hostName(), try processors(cpuInfo))
        let capacity = Resources(milliCPU: 1000 * threads, memoryMiB: try memoryMiB())
        let reserved = Resources(
            milliCPU: min(Reserve.milliCPU, capacity.milliCPU),
            memoryMiB: min(
                Reserve.memoryMiB + capacity.memoryMiB / Reserve.memoryDivisor, capacity.memoryMiB))
        var facts = try MachineFacts.read(files, threads: threads)
        let inventory = HostInventory(
            capacity: capacity, reserved: reserved, devices: try devices(host: name, &facts),
            labels: try ownLabels(cpuInfo).merging(labels) { $1 }, substrate: substrate, machine: facts)
        return [InventoriedHost(name: name, inventory: inventory)]
    }

    private func hostName() throws -> String {
        let found = (name ?? files.line("proc/sys/kernel/hostname") ?? "").lowercased()
        if let defect = Name.defect(in: found) {
            throw MachineInventoryError(
                path: "proc/sys/kernel/hostname", message: "the host name \"\(found)\" \(defect)")
        }
        return found
    }

    /// CPUs online; those of cpuinfo where `/sys` does not tell.
    private func processors(_ cpuInfo: String) throws -> Int {
        let path = "sys/devices/system/cpu/online"
        if let list = files.line(path) {
            guard let count = CPUList.count(list), (1...Limit.entries).contains(count) else {
                throw MachineInventoryError(path: path, message: "\"\(list)\" is no list of CPUs")
            }
            return count
        }
        let count = cpuInfo.split(separator: "\n").count { $0.hasPrefix("processor") }
        guard (1...Limit.entries).contains(count) else {
            throw MachineInventoryError(path: "proc/cpuinfo", message: "no CPUs found")
        }
        return count
    }

    private func memoryMiB() throws -> Int {
        let path = "proc/meminfo"
        guard
            let value = SystemFiles.field("MemTotal", in: files.text(path) ?? "")?.split(separator: " ")
                .first,
            let kibibytes = Int(value), kibibytes >= 1024
        else { throw MachineInventoryError(path: path, message: "MemTotal is missing") }
        return kibibytes / 1024
    }

    private func ownLabels(_ cpuInfo: String) throws -> [String: String] {
        let nodes = try files.entries("sys/devices/system/node").count { entry in
            entry.hasPrefix("node") && Int(entry.dropFirst(4)) != nil
        }
        let facts = [
            (
                "cpu.vendor",
                SystemFiles.field("vendor_id", in: cpuInfo)
                    ?? SystemFiles.field("CPU implementer", in: cpuInfo)
            ),
            ("cpu.model", SystemFiles.field("model name", in: cpuInfo)),
            ("kernel", files.line("proc/sys/kernel/osrelease")),
            ("numa.nodes", String(max(1, nodes))),
        ]
        var labels: [String: String] = [:]
        for (key, value) in facts {
            if let value, !value.isEmpty { labels[key] = String(value.prefix(Limit.labelLength)) }
        }
        return labels
    }
}

extension MachineInventory {
    /// GPUs as NVML tells them, or else as the driver lists them. Neither's silence removes a device.
    private func devices(host: String, _ facts: inout MachineFacts) throws -> [Device] {
        let found: [Device]
        var isTrusted = true
        switch NVML.read(library: nvmlLibrary, host: host, files: files) {
        case .absent: found = try nvidiaDevices()
        case .failed(let message):
            facts.defects.append(message)
            found = try nvidiaDevices()
            isTrusted = false
        case .found(let gpus, let defects):
            facts.gpus = gpus.map(\.facts)
            facts.defects += defects
            found = gpus.map(\.device).sorted { $0.uuid < $1.uuid }
        }
        return try known?.merge(found, isTrusted: isTrusted) ?? found
    }

    /// GPUs as the driver lists them. Their memory is not there: it is 0 until a source that knows it exists.
    private func nvidiaDevices() throws -> [Device] {
        let directory = "proc/driver/nvidia/gpus"
        return try files.entries(directory).map { address in
            let path = "\(directory)/\(address)/information"
            let information = files.text(path) ?? ""
            guard let uuid = SystemFiles.field("GPU UUID", in: information), uuid.hasPrefix("GPU-"),
                let model = SystemFiles.field("Model", in: information)
            else { throw MachineInventoryError(path: path, message: "Model or GPU UUID is missing") }
            let node = files.line("sys/bus/pci/devices/\(address.lowercased())/numa_node").flatMap { Int($0) }
            return Device(
                uuid: uuid, model: model, memoryMiB: 0, numaNode: node.flatMap { $0 >= 0 ? $0 : nil })
        }.sorted { $0.uuid < $1.uuid }
    }
}
