public import FaultLab
internal import Foundation

/// What of a machine an injector could use, found out by trying.
public struct HostCapability: Sendable, Hashable {
    public enum Name: String, Sendable, CaseIterable {
        case signals
        case fileLimits = "file limits"
        case disciplines = "tc tbf"
        case netem = "tc netem"
        case packetFilter = "iptables"
        case stress = "stress-ng"
        case freezer = "cgroup freeze"
    }

    public var name: Name
    public var isAvailable: Bool
    /// Why not, or by what.
    public var detail: String
    /// What needs it.
    public var kinds: [FaultKind]
}

/// Tries what host tools can do, in a network namespace and a control group that are gone after it.
public enum CapabilityProbe {
    public static func run() async -> [HostCapability] {
        var found: [HostCapability] = []
        for name in HostCapability.Name.allCases { found.append(await probe(name)) }
        return found
    }

    public static func probe(_ name: HostCapability.Name) async -> HostCapability {
        func say(_ isAvailable: Bool, _ detail: String, _ kinds: [FaultKind]) -> HostCapability {
            HostCapability(name: name, isAvailable: isAvailable, detail: detail, kinds: kinds)
        }
        switch name {
        case .signals:
            return say(true, "kill", [.agentCrash, .agentHang, .controllerCrash, .controllerStall])
        case .fileLimits: return say(true, "prlimit", [.diskFull])
        case .disciplines:
            let (isAvailable, detail) = await discipline([
                "tbf", "rate", "1mbit", "burst", "32kb", "latency", "1ms",
            ])
            return say(isAvailable, detail, [.linkPartition, .kvLinkDegraded])
        case .netem:
            let (isAvailable, detail) = await discipline(["netem", "delay", "1ms"])
            return say(isAvailable, detail, [.linkDelay, .linkLoss, .linkDuplicate])
        // Fault proxies and the injector's own load do what these would.
        case .packetFilter: return tool("iptables", name, [.linkPartition])
        case .stress: return tool("stress-ng", name, [.noisyNeighbour])
        case .freezer:
            let (isAvailable, detail) = freezer()
            return say(isAvailable, detail, [.agentHang, .controllerStall])
        }
    }

    private static func tool(
        _ tool: String, _ name: HostCapability.Name, _ kinds: [FaultKind]
    ) -> HostCapability {
        let path = HostTool.path(of: tool)
        return HostCapability(
            name: name, isAvailable: path != nil,
            detail: path.map { "\($0); not needed" } ?? "not installed; not needed", kinds: kinds)
    }

    /// In a namespace that ends with the command.
    private static func discipline(_ words: [String]) async -> (Bool, String) {
        guard let tc = HostTool.path(of: "tc") else { return (false, "tc is not installed") }
        do {
            let outcome = try await HostTool.run(
                ["unshare", "-n", tc, "qdisc", "add", "dev", "lo", "root"] + words)
            let line = outcome.output.split(separator: "\n").first.map(String.init) ?? ""
            return outcome.status == 0 ? (true, tc) : (false, line.isEmpty ? "tc fails" : line)
        } catch {
            return (false, "\(error)")
        }
    }

    private static func freezer() -> (Bool, String) {
        let mounts = FileManager.default.contents(atPath: "/proc/mounts") ?? Data()
        let rows = String(decoding: mounts, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ")
        }
        let hierarchies = rows.filter { row in
            row.count > 3 && (row[2] == "cgroup2" || (row[2] == "cgroup" && row[3].contains("freezer")))
        }.map { String($0[1]) }
        guard !hierarchies.isEmpty else { return (false, "no hierarchy is mounted") }
        for hierarchy in hierarchies {
            let path = "\(hierarchy)/basalt-probe-\(getpid())"
            guard mkdir(path, 0o700) == 0 else { continue }
            defer { rmdir(path) }
            if ControlGroup(path).canFreeze { return (true, hierarchy) }
        }
        return (false, "no control group can be made")
    }
}
