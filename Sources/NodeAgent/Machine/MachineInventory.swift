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

    private let root: String
    private let name: String?
    private let substrate: String
    private let labels: [String: String]

    /// - Parameters:
    ///   - root: directory that holds `proc` and `sys`; empty for the machine's own.
    ///   - name: name of the host; the kernel's host name, lower case, when nil.
    ///   - labels: facts to add to those of the machine.
    public init(
        root: String = "", name: String? = nil, substrate: String = SubstrateName.observe,
        labels: [String: String] = [:]
    ) {
        self.root = root
        self.name = name
        self.substrate = substrate
        self.labels = labels
    }

    /// The one host.
    /// - Throws: `MachineInventoryError`.
    public func hosts() throws -> [InventoriedHost] {
        let cpuInfo = text("proc/cpuinfo") ?? ""
        let capacity = Resources(
            milliCPU: 1000 * (try processors(cpuInfo)), memoryMiB: try memoryMiB())
        let reserved = Resources(
            milliCPU: min(Reserve.milliCPU, capacity.milliCPU),
            memoryMiB: min(
                Reserve.memoryMiB + capacity.memoryMiB / Reserve.memoryDivisor, capacity.memoryMiB))
        let inventory = HostInventory(
            capacity: capacity, reserved: reserved, devices: try nvidiaDevices(),
            labels: try facts(cpuInfo).merging(labels) { $1 }, substrate: substrate)
        return [InventoriedHost(name: try hostName(), inventory: inventory)]
    }

    private func hostName() throws -> String {
        let found = (name ?? line("proc/sys/kernel/hostname") ?? "").lowercased()
        if let defect = Name.defect(in: found) {
            throw MachineInventoryError(
                path: "proc/sys/kernel/hostname", message: "the host name \"\(found)\" \(defect)")
        }
        return found
    }

    /// CPUs online; those of cpuinfo where `/sys` does not tell.
    private func processors(_ cpuInfo: String) throws -> Int {
        let path = "sys/devices/system/cpu/online"
        if let list = line(path) {
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
        guard let value = field("MemTotal", in: text(path) ?? "")?.split(separator: " ").first,
            let kibibytes = Int(value), kibibytes >= 1024
        else { throw MachineInventoryError(path: path, message: "MemTotal is missing") }
        return kibibytes / 1024
    }

    private func facts(_ cpuInfo: String) throws -> [String: String] {
        let nodes = try entries("sys/devices/system/node").count { entry in
            entry.hasPrefix("node") && Int(entry.dropFirst(4)) != nil
        }
        let facts = [
            ("cpu.vendor", field("vendor_id", in: cpuInfo) ?? field("CPU implementer", in: cpuInfo)),
            ("cpu.model", field("model name", in: cpuInfo)),
            ("kernel", line("proc/sys/kernel/osrelease")),
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
    /// GPUs as the driver lists them. Their memory is not there: it is 0 until a source that knows it exists.
    private func nvidiaDevices() throws -> [Device] {
        let directory = "proc/driver/nvidia/gpus"
        return try entries(directory).map { address in
            let path = "\(directory)/\(address)/information"
            let information = text(path) ?? ""
            guard let uuid = field("GPU UUID", in: information), uuid.hasPrefix("GPU-"),
                let model = field("Model", in: information)
            else { throw MachineInventoryError(path: path, message: "Model or GPU UUID is missing") }
            let node = line("sys/bus/pci/devices/\(address.lowercased())/numa_node").flatMap { Int($0) }
            return Device(
                uuid: uuid, model: model, memoryMiB: 0, numaNode: node.flatMap { $0 >= 0 ? $0 : nil })
        }.sorted { $0.uuid < $1.uuid }
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: "\(root)/\(path)").map { String(decoding: $0, as: UTF8.self) }
    }

    private func line(_ path: String) -> String? {
        text(path)?.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Names in a directory, sorted; none when it does not exist, as without a driver or NUMA.
    private func entries(_ path: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: "\(root)/\(path)") else { return [] }
        do {
            let found = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)")
            return Array(found.sorted().prefix(Limit.entries))
        } catch {
            throw MachineInventoryError(path: path, message: "\(error)")
        }
    }

    /// Value of the first `name : value` line.
    private func field(_ name: String, in text: String) -> String? {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"),
                line[..<colon].trimmingCharacters(in: .whitespaces) == name
            else { continue }
            return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        return nil
    }
}
