internal import Fleet
internal import Foundation

/// How parts are held to their CPU and memory on this machine.
struct ProcessBounds: Sendable {
    enum Method: Sendable, Equatable {
        /// One directory bounds both.
        case groupV2(String)
        case groupV1(cpu: String, memory: String)
        /// Address space and niceness, per process: what is left without writable control groups.
        case limits
    }

    enum Setting {
        /// Period of the CPU quota, microseconds: the kernel's default.
        static let period = 100_000
        /// Smallest quota that the kernel takes, microseconds.
        static let quota = 1000
        /// Parts give way to the agent and the system.
        static let niceness: Int32 = 5
    }

    let method: Method

    /// For the host's labels.
    var label: String {
        switch method {
        case .groupV2: "cgroup-v2"
        case .groupV1: "cgroup-v1"
        case .limits: "rlimits"
        }
    }

    /// Tries what this machine allows, best first.
    /// - Parameter instance: keeps two substrates of one machine apart; a file name.
    static func probe(instance: String) -> ProcessBounds {
        let own = ownGroups()
        let name = "basalt-\(instance)"
        if let path = own[""] {
            for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
                let base = "\(root)\(path == "/" ? "" : path)/\(name)"
                if let bounds = trial(.groupV2(base)) { return bounds }
            }
        }
        if let cpu = own["cpu"], let memory = own["memory"] {
            func base(_ controller: String, _ path: String) -> String {
                "/sys/fs/cgroup/\(controller)\(path == "/" ? "" : path)/\(name)"
            }
            let method = Method.groupV1(cpu: base("cpu", cpu), memory: base("memory", memory))
            if let bounds = trial(method) { return bounds }
        }
        return ProcessBounds(method: .limits)
    }

    /// Directories that a part's processes join, made and set.
    /// - Throws: `JournalError`.
    func make(_ allocation: ID<Allocation>, _ resources: Resources) throws -> [String] {
        try make("\(allocation)", resources)
    }

    /// Whether a part that runs can be held to less CPU than it was sold, and let go again.
    var canThrottle: Bool { method != .limits }

    /// Holds the processes of a part to so much CPU from now on.
    /// - Throws: `JournalError`, also for a part that has not begun.
    func setQuota(_ allocation: ID<Allocation>, milliCPU: Int) throws {
        guard let group = groups(of: allocation).first else { return }
        try writeQuota(milliCPU, group)
    }

    private func writeQuota(_ milliCPU: Int, _ group: String) throws {
        let quota = max(Setting.quota, milliCPU * Setting.period / 1000)
        switch method {
        case .groupV2: try Self.write("\(quota) \(Setting.period)", to: "\(group)/cpu.max")
        case .groupV1:
            try Self.write("\(Setting.period)", to: "\(group)/cpu.cfs_period_us")
            try Self.write("\(quota)", to: "\(group)/cpu.cfs_quota_us")
        case .limits: break
        }
    }

    /// Where `make` puts a part.
    func groups(of allocation: ID<Allocation>) -> [String] { bases.map { "\($0)/\(allocation)" } }

    /// Removes the directories of an ended part. One that cannot be removed harms nobody.
    func remove(_ allocation: ID<Allocation>) { for group in groups(of: allocation) { rmdir(group) } }

    private var bases: [String] {
        switch method {
        case .groupV2(let base): [base]
        case .groupV1(let cpu, let memory): [cpu, memory]
        case .limits: []
        }
    }

    private static func trial(_ method: Method) -> ProcessBounds? {
        let bounds = ProcessBounds(method: method)
        for base in bounds.bases {
            let parent = (base as NSString).deletingLastPathComponent
            guard mkdir(base, 0o755) == 0 || errno == EEXIST else { return nil }
            if case .groupV2 = method {
                // why `try?`: whether the controllers are there shows below.
                try? write("+cpu +memory", to: "\(parent)/cgroup.subtree_control")
                try? write("+cpu +memory", to: "\(base)/cgroup.subtree_control")
            }
        }
        do {
            let groups = try bounds.make("probe", Resources(milliCPU: 1000, memoryMiB: 64))
            for group in groups { rmdir(group) }
            return bounds
        } catch {
            for base in bounds.bases {
                rmdir("\(base)/probe")
                rmdir(base)
            }
            return nil
        }
    }

    private func make(_ name: String, _ resources: Resources) throws -> [String] {
        let bytes = resources.memoryMiB << 20
        let groups = bases.map { "\($0)/\(name)" }
        for group in groups where mkdir(group, 0o755) != 0 && errno != EEXIST {
            throw JournalError.system("mkdir", group)
        }
        if let group = groups.first { try writeQuota(resources.milliCPU, group) }
        switch method {
        case .groupV2: try Self.write("\(bytes)", to: "\(groups[0])/memory.max")
        case .groupV1: try Self.write("\(bytes)", to: "\(groups[1])/memory.limit_in_bytes")
        case .limits: break
        }
        return groups
    }

    private static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system("open", path) }
        defer { close(descriptor) }
        try DurableFile.write(Array(text.utf8), to: descriptor, path: path)
    }

    /// Path of this process's group by controller; under the empty name that of version 2.
    private static func ownGroups() -> [String: String] {
        guard let data = FileManager.default.contents(atPath: "/proc/self/cgroup") else { return [:] }
        var groups: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                groups[String(controller)] = String(fields[2])
            }
        }
        return groups
    }
}
