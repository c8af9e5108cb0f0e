internal import Fleet
internal import Foundation

extension MachineFacts {
    /// Block devices that are no disks: parts of others, or memory.
    private static let virtualDisks = ["loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd"]

    /// What the kernel tells. A value that is not there is left out; nothing is guessed.
    /// - Parameter threads: CPUs online.
    static func read(_ files: SystemFiles, threads: Int) throws -> MachineFacts {
        MachineFacts(
            cpu: try cpu(files, threads: threads), nodes: try nodes(files), hugePages: try hugePages(files),
            disks: try disks(files), nics: try nics(files))
    }

    private static func cpu(_ files: SystemFiles, threads: Int) throws -> CPU {
        let base = "sys/devices/system/cpu"
        var (sockets, cores): (Set<Int>, Set<[Int]>) = ([], [])
        for name in try files.entries(base) where Self.number(name, after: "cpu") != nil {
            // A CPU that is off has no topology.
            guard let socket = files.number("\(base)/\(name)/topology/physical_package_id"),
                let core = files.number("\(base)/\(name)/topology/core_id")
            else { continue }
            let die = files.number("\(base)/\(name)/topology/die_id") ?? 0
            sockets.insert(socket)
            cores.insert([socket, die, core])
        }
        return CPU(
            threads: threads, cores: cores.isEmpty ? nil : cores.count,
            sockets: sockets.isEmpty ? nil : sockets.count)
    }

    private static func nodes(_ files: SystemFiles) throws -> [Node] {
        let base = "sys/devices/system/node"
        return try files.entries(base).compactMap { name -> Node? in
            guard let id = number(name, after: "node") else { return nil }
            let memory = files.text("\(base)/\(name)/meminfo")
                .flatMap { SystemFiles.field("Node \(id) MemTotal", in: $0) }?
                .split(separator: " ").first.flatMap { Int($0) }
            return Node(
                id: id, cpus: files.line("\(base)/\(name)/cpulist") ?? "", memoryMiB: (memory ?? 0) / 1024)
        }.sorted { $0.id < $1.id }
    }

    private static func hugePages(_ files: SystemFiles) throws -> [HugePages] {
        let base = "sys/kernel/mm/hugepages"
        return try files.entries(base).compactMap { name -> HugePages? in
            guard let size = number(String(name.dropLast(2)), after: "hugepages-"), name.hasSuffix("kB"),
                let total = files.number("\(base)/\(name)/nr_hugepages")
            else { return nil }
            return HugePages(
                sizeKiB: size, total: total, free: files.number("\(base)/\(name)/free_hugepages") ?? 0)
        }.sorted { $0.sizeKiB < $1.sizeKiB }
    }

    private static func disks(_ files: SystemFiles) throws -> [Disk] {
        try files.entries("sys/block").compactMap { name -> Disk? in
            guard !virtualDisks.contains(where: { name.hasPrefix($0) }),
                let sectors = files.number("sys/block/\(name)/size"), sectors > 0
            else { return nil }
            // The kernel counts in sectors of 512 bytes, whatever the disk's own are.
            return Disk(
                name: name, sizeMiB: sectors / 2048,
                isRotational: files.number("sys/block/\(name)/queue/rotational") == 1,
                model: files.line("sys/block/\(name)/device/model"))
        }
    }

    /// Interfaces with a device behind them; bridges, tunnels and the like have none.
    private static func nics(_ files: SystemFiles) throws -> [NIC] {
        let base = "sys/class/net"
        return try files.entries(base).compactMap { name -> NIC? in
            guard files.exists("\(base)/\(name)/device"), let mac = files.line("\(base)/\(name)/address")
            else { return nil }
            let speed = files.number("\(base)/\(name)/speed").flatMap { $0 > 0 ? $0 : nil }
            return NIC(
                name: name, mac: mac, megabitsPerSecond: speed,
                driver: files.target("\(base)/\(name)/device/driver"))
        }
    }

    private static func number(_ name: String, after prefix: String) -> Int? {
        name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
    }
}
