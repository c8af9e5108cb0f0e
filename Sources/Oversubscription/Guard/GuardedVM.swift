/// A VM as a guard sees it.
public struct GuardedVM: Sendable, Hashable, Codable {
    /// What a VM was promised, from the most to the least.
    public enum Promise: String, Sendable, Hashable, Codable, CaseIterable {
        /// Its cores are its own; a guard never touches it.
        case guaranteed
        case standard
        /// May be slowed and stopped at any time.
        case spot
    }

    /// Unique on the host.
    public var name: String
    public var promise: Promise
    /// What it was sold, in cores.
    public var cores: Double
    /// Cores in use.
    public var used: Double
    public var memoryGiB: Double
    /// How fast it changes its memory, as a share of what a migration carries per second.
    public var dirtyShare: Double

    public init(
        name: String, promise: Promise, cores: Double, used: Double, memoryGiB: Double = 0,
        dirtyShare: Double = 0
    ) {
        self.name = name
        self.promise = promise
        self.cores = cores
        self.used = used
        self.memoryGiB = memoryGiB
        self.dirtyShare = dirtyShare
    }

    /// What a live migration carries, in GiB: memory, and what changes while it is carried.
    public var migrationCost: Double { memoryGiB * (1 + dirtyShare) }
}

/// A host's signals and the VMs on it, of one interval.
public struct HostReading: Sendable, Hashable, Codable {
    public var signals: HostSignals
    /// Cores of the host that VMs may use.
    public var cores: Double
    public var vms: [GuardedVM]

    public init(signals: HostSignals, cores: Double, vms: [GuardedVM] = []) {
        self.signals = signals
        self.cores = cores
        self.vms = vms
    }
}
