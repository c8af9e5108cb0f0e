/// A part of a host given to one part of a workload. The only thing that consumes capacity.
public struct Allocation: Sendable, Hashable, Codable {
    /// `reserved → active → releasing → released`; a reserved one may go straight to releasing.
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// Capacity is held; the agent has not confirmed that the part runs.
        case reserved
        /// The agent reported the part running.
        case active
        /// The part is to stop; capacity is held until that is confirmed.
        case releasing
        /// Capacity is free; kept for the record.
        case released

        public var consumesCapacity: Bool { self != .released }
    }

    public var id: ID<Allocation>
    public var workload: WorkloadReference
    public var cell: String
    public var host: ID<Document>
    public var `class`: WorkloadClass
    public var resources: Resources
    /// UUIDs of the devices, sorted.
    public var devices: [String]
    public var state: State
    /// Found running without a workload: consumes capacity, is stopped by nobody but an operator.
    public var quarantined: Bool
    public var plan: ID<Plan>?
    public var onPartition: PartitionPolicy
    public var antiAffinity: AntiAffinity?
    public var createdAt: Timestamp
    public var releasedAt: Timestamp?
    /// The migration that brings the part here; kept when it is over. Nil where no migration did.
    public var arrival: MigrationArrival?
    /// The migration that takes the part away from here, while it is under way and when it did.
    public var departure: ID<PartMigration>?
    /// Most CPU that it is predicted to use at once, milli; all of it while nothing is known of its use.
    public var peakMilliCPU: Int?
    /// What the part runs, where its engine says so part by part; nil where the workload's document does.
    public var task: PartTask?
    /// How the part ended by its agent's word; nil before, and where no agent told.
    public var end: AllocationEnd?

    public init(
        id: ID<Allocation>, workload: WorkloadReference, cell: String, host: ID<Document>,
        class: WorkloadClass,
        resources: Resources, devices: [String] = [], state: State = .reserved, quarantined: Bool = false,
        plan: ID<Plan>? = nil, onPartition: PartitionPolicy = .keep, antiAffinity: AntiAffinity? = nil,
        createdAt: Timestamp, releasedAt: Timestamp? = nil, arrival: MigrationArrival? = nil,
        departure: ID<PartMigration>? = nil, peakMilliCPU: Int? = nil, task: PartTask? = nil,
        end: AllocationEnd? = nil
    ) {
        self.id = id
        self.workload = workload
        self.cell = cell
        self.host = host
        self.class = `class`
        self.resources = resources
        self.devices = devices
        self.state = state
        self.quarantined = quarantined
        self.plan = plan
        self.onPartition = onPartition
        self.antiAffinity = antiAffinity
        self.createdAt = createdAt
        self.releasedAt = releasedAt
        self.arrival = arrival
        self.departure = departure
        self.peakMilliCPU = peakMilliCPU
        self.task = task
        self.end = end
    }

    /// Whether it only holds room for a part that is still written elsewhere; no agent is told of it.
    public var isStandby: Bool { arrival?.standsBy == true }

    /// Whether the CPU counts as guaranteed: the guaranteed class, and every part that is not a VM.
    public var isGuaranteed: Bool { self.class == .guaranteed || workload.kind != .vm }

    /// Of its shared CPU, what it is predicted not to use, milli.
    public var sparedMilliCPU: Int {
        guard !isGuaranteed, let peakMilliCPU else { return 0 }
        return max(0, resources.milliCPU - peakMilliCPU)
    }
}

/// What an agent said when a part ended.
public struct AllocationEnd: Sendable, Hashable, Codable {
    /// As a shell has it; nil when the part never ran, or when nobody knows.
    public var exitCode: Int?
    public var message: String

    public init(exitCode: Int?, message: String = "") {
        self.exitCode = exitCode
        self.message = message
    }
}

/// Names one part of one workload.
public struct WorkloadReference: Sendable, Hashable, Codable {
    public var kind: Kind
    public var uid: ID<Document>
    public var project: String
    public var name: String
    /// Part of the workload, in its engine's words, such as `worker-0`; a VM has the one part `vm`.
    public var part: String

    public init(kind: Kind, uid: ID<Document>, project: String, name: String, part: String) {
        self.kind = kind
        self.uid = uid
        self.project = project
        self.name = name
        self.part = part
    }
}
