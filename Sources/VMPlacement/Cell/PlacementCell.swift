public import Fleet

/// The hosts of one cell and what is taken of them: the snapshot that placement decides on.
///
/// A value: a copy is a trial. The use of a host is the sum of the allocations that the cell was given, and
/// of nothing else, so the cell must be given every unreleased allocation. Allocations of hosts that the cell
/// does not know are kept and count as soon as the host is there, so changes may arrive in any order.
public struct PlacementCell: Sendable {
    /// Name of the cell.
    public let name: String
    var hosts = HostTable()
    var held: [ID<Allocation>: HeldAllocation] = [:]
    /// Allocations whose host is not in `hosts`.
    var strayCount = 0
    var groups = AntiAffinityGroups()
    /// Sizes of the VMs held.
    var shapes = ShapeMix()
    /// What is known of lifetimes, in the order of `hosts`; nil until they are tracked.
    var lifetimes: LifetimeTable?
    /// How many allocations hold a device, by uuid.
    var deviceHolders: [String: Int] = [:]
    var hostNumbers = Interner<HostKey>()
    var pools = Interner<String>()
    var labels = Interner<Label>()
    /// By number of label, the numbers of the hosts that carry it.
    var carriers: [[Int32]] = []
    var models = Interner<String>()
    var racks = Interner<FailureDomain>()
    var zones = Interner<String>()

    /// A cell with these hosts and every unreleased allocation on them; the order of either has no effect.
    public init(name: String, hosts: [HostSnapshot] = [], allocations: [Allocation] = []) {
        self.name = name
        self.hosts.reserveCapacity(hosts.count)
        // Sorted, each insertion is at the end.
        for host in hosts.sorted(by: { $0.id < $1.id }) { upsert(host: host) }
        for allocation in allocations { add(allocation) }
    }

    /// Hosts, whatever their state.
    public var hostCount: Int { hosts.count }
    /// Unreleased allocations, those of unknown hosts included.
    public var allocationCount: Int { held.count }

    /// The integers that admission decides by, use included; nil for a host that the cell does not know.
    public func room(of host: ID<Document>) -> HostRoom? {
        hosts.slot(of: HostKey(host)).map { hosts.rows[$0].room }
    }

    /// Whether the cell counts the allocation.
    public func contains(_ allocation: ID<Allocation>) -> Bool { held[allocation] != nil }
}

/// One `key=value` pair of a host.
struct Label: Sendable, Hashable, Comparable {
    var key: String
    var value: String

    static func < (lhs: Label, rhs: Label) -> Bool { (lhs.key, lhs.value) < (rhs.key, rhs.value) }
}

/// What an allocation took, kept so that it can be given back by its id.
struct HeldAllocation: Sendable {
    var host: HostKey
    var resources: Resources
    var isGuaranteed: Bool
    /// Of its CPU, what it is predicted not to use, milli.
    var sparedMilliCPU: Int
    var devices: [String]
    var lifetime: VMLifetime
    var group: AntiAffinityGroups.Name?
}
