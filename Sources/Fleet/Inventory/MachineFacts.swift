/// What a real machine is made of, beyond what placement counts.
public struct MachineFacts: Sendable, Hashable, Codable {
    /// Threads, cores and sockets of the machine.
    public struct CPU: Sendable, Hashable, Codable {
        /// CPUs that run, each a hardware thread.
        public var threads: Int
        /// Nil where the kernel does not tell.
        public var cores: Int?
        public var sockets: Int?
        public var hasSMT: Bool?

        public init(threads: Int, cores: Int?, sockets: Int?) {
            self.threads = threads
            self.cores = cores
            self.sockets = sockets
            hasSMT = cores.map { threads > $0 }
        }
    }

    /// A NUMA node.
    public struct Node: Sendable, Hashable, Codable {
        public var id: Int
        /// The kernel's list, such as `0-15,32-47`.
        public var cpus: String
        public var memoryMiB: Int

        public init(id: Int, cpus: String, memoryMiB: Int) {
            self.id = id
            self.cpus = cpus
            self.memoryMiB = memoryMiB
        }
    }

    /// Huge pages of one size.
    public struct HugePages: Sendable, Hashable, Codable {
        public var sizeKiB: Int
        public var total: Int
        public var free: Int

        public init(sizeKiB: Int, total: Int, free: Int) {
            self.sizeKiB = sizeKiB
            self.total = total
            self.free = free
        }
    }

    /// A block device.
    public struct Disk: Sendable, Hashable, Codable {
        public var name: String
        public var sizeMiB: Int
        public var isRotational: Bool
        public var model: String?

        public init(name: String, sizeMiB: Int, isRotational: Bool, model: String?) {
            self.name = name
            self.sizeMiB = sizeMiB
            self.isRotational = isRotational
            self.model = model
        }
    }

    /// A network interface.
    public struct NIC: Sendable, Hashable, Codable {
        public var name: String
        public var mac: String
        /// Nil without a link.
        public var megabitsPerSecond: Int?
        public var driver: String?

        public init(name: String, mac: String, megabitsPerSecond: Int?, driver: String?) {
            self.name = name
            self.mac = mac
            self.megabitsPerSecond = megabitsPerSecond
            self.driver = driver
        }
    }

    /// A GPU as its driver shows it.
    public struct GPU: Sendable, Hashable, Codable {
        public var uuid: String
        /// The driver's number.
        public var index: Int
        public var pciBusID: String
        /// Devices that an NVLink leads to directly, sorted.
        public var nvlinkPeers: [String]
        /// Nil where the device has no such mode.
        public var eccEnabled: Bool?
        public var migEnabled: Bool?
        /// Memory errors since boot that were not corrected.
        public var uncorrectedErrors: Int?

        public init(
            uuid: String, index: Int, pciBusID: String, nvlinkPeers: [String], eccEnabled: Bool?,
            migEnabled: Bool?, uncorrectedErrors: Int?
        ) {
            self.uuid = uuid
            self.index = index
            self.pciBusID = pciBusID
            self.nvlinkPeers = nvlinkPeers
            self.eccEnabled = eccEnabled
            self.migEnabled = migEnabled
            self.uncorrectedErrors = uncorrectedErrors
        }
    }

    public var cpu: CPU
    public var nodes: [Node]
    public var hugePages: [HugePages]
    public var disks: [Disk]
    public var nics: [NIC]
    public var gpus: [GPU]
    /// What should have been there and could not be read.
    public var defects: [String]

    public init(
        cpu: CPU, nodes: [Node] = [], hugePages: [HugePages] = [], disks: [Disk] = [], nics: [NIC] = [],
        gpus: [GPU] = [], defects: [String] = []
    ) {
        self.cpu = cpu
        self.nodes = nodes
        self.hugePages = hugePages
        self.disks = disks
        self.nics = nics
        self.gpus = gpus
        self.defects = defects
    }
}
