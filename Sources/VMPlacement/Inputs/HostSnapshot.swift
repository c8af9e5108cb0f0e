public import Fleet

/// A host as the planner needs it: everything but what is used, which the cell derives from its allocations.
public struct HostSnapshot: Sendable, Hashable {
    /// Decides ties: the lowest id wins.
    public var id: ID<Document>
    /// As explanations and messages call the host.
    public var name: String
    /// `host.generation`, which a commit verifies.
    public var generation: Int
    /// Name of the pool that the host is in.
    public var pool: String
    /// Whether the pool's `admits` names VMs.
    public var poolAdmitsVMs: Bool
    /// Only hosts in contact take VMs.
    public var contact: HostContact
    /// False while the host is cordoned or draining.
    public var isSchedulable: Bool
    /// All of the machine.
    public var capacity: Resources
    /// Kept from workloads.
    public var reserved: Resources
    /// vCPUs sold per vCPU to the shared classes, per mille.
    public var cpuRatioPerMille: Int
    /// How full predicted peaks may make the shared part, per mille; nil where they do not count.
    public var maxUtilizationPerMille: Int?
    /// What `hostSelector` is matched with: the host's own labels and the facts of its inventory.
    public var labels: [String: String]
    /// What `antiAffinity` of scope rack and zone goes by.
    public var domain: FailureDomain
    /// As found on the machine, taken or not.
    public var devices: [Device]

    public init(
        id: ID<Document>, name: String, generation: Int = 1, pool: String, poolAdmitsVMs: Bool = true,
        contact: HostContact = .ready, isSchedulable: Bool = true, capacity: Resources,
        reserved: Resources = .zero, cpuRatioPerMille: Int = 1000, maxUtilizationPerMille: Int? = nil,
        labels: [String: String] = [:], domain: FailureDomain = .init(), devices: [Device] = []
    ) {
        self.id = id
        self.name = name
        self.generation = generation
        self.pool = pool
        self.poolAdmitsVMs = poolAdmitsVMs
        self.contact = contact
        self.isSchedulable = isSchedulable
        self.capacity = capacity
        self.reserved = reserved
        self.cpuRatioPerMille = cpuRatioPerMille
        self.maxUtilizationPerMille = maxUtilizationPerMille
        self.labels = labels
        self.domain = domain
        self.devices = devices
    }

    /// The constraint by which the host refuses every VM, or nil.
    public var refusal: Reason? {
        if contact != .ready { return .hostNotReady }
        if !isSchedulable { return .hostCordoned }
        return poolAdmitsVMs ? nil : .poolMismatch
    }
}
