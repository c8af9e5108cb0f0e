public import Fleet

/// A VM that waits for a host.
public struct VMRequest: Sendable, Hashable {
    /// The part that is placed.
    public var workload: WorkloadReference
    /// `metadata.generation` of the VM.
    public var workloadGeneration: Int
    /// Any pool that admits VMs when nil.
    public var pool: String?
    /// CPU as sold, in milli-vCPU, and memory.
    public var resources: Resources
    /// Per model; a model named twice counts as the sum.
    public var devices: [DeviceRequest]
    /// Decides what a vCPU takes of a host.
    public var `class`: WorkloadClass
    /// Labels that the host must carry.
    public var hostSelector: [String: String]
    /// Group of VMs of the same project to keep apart from.
    public var antiAffinity: AntiAffinity?
    /// Passed on to the allocation.
    public var onPartition: PartitionPolicy
    /// Expected time from start to deletion, when the owner knows.
    public var lifetimeHint: Duration?
    /// What else models of lifetimes look at, such as the application the VM belongs to; decides nothing
    /// else.
    public var attributes: [String: String]
    /// When the VM started, if it runs already and is to move; nil for a new one.
    public var startedAt: Timestamp?
    /// With whom it is placed or not at all; nil when it stands alone.
    public var gang: GangMember?
    /// Place in the queue: the earliest first, ties by the workload's uid.
    public var queuedAt: Timestamp

    public init(
        workload: WorkloadReference, workloadGeneration: Int = 1, pool: String? = nil, resources: Resources,
        devices: [DeviceRequest] = [], class: WorkloadClass = .standard, hostSelector: [String: String] = [:],
        antiAffinity: AntiAffinity? = nil, onPartition: PartitionPolicy = .keep,
        lifetimeHint: Duration? = nil, attributes: [String: String] = [:], startedAt: Timestamp? = nil,
        gang: GangMember? = nil,
        queuedAt: Timestamp
    ) {
        self.workload = workload
        self.workloadGeneration = workloadGeneration
        self.pool = pool
        self.resources = resources
        self.devices = devices
        self.class = `class`
        self.hostSelector = hostSelector
        self.antiAffinity = antiAffinity
        self.onPartition = onPartition
        self.lifetimeHint = lifetimeHint
        self.attributes = attributes
        self.startedAt = startedAt
        self.gang = gang
        self.queuedAt = queuedAt
    }

    /// Whether the CPU is never oversubscribed.
    public var isGuaranteed: Bool { self.class == .guaranteed }
}

extension VMRequest {
    /// What decides which hosts are feasible: requests of one shape stand or fall together.
    struct Shape: Hashable {
        var pool: String?
        var resources: Resources
        var devices: [DeviceRequest]
        var isGuaranteed: Bool
        var hostSelector: [String: String]
        var antiAffinity: AntiAffinity?
        /// Groups are per project; nil without a group, where the project decides nothing.
        var project: String?
    }

    var shape: Shape {
        Shape(
            pool: pool, resources: resources, devices: devices, isGuaranteed: isGuaranteed,
            hostSelector: hostSelector, antiAffinity: antiAffinity,
            project: antiAffinity == nil ? nil : workload.project)
    }

    /// Order of the queue.
    static func precedes(_ lhs: VMRequest, _ rhs: VMRequest) -> Bool {
        (lhs.queuedAt, lhs.workload.uid) < (rhs.queuedAt, rhs.workload.uid)
    }
}
