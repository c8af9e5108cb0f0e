/// Where a VM is in its life, one word for people; conditions carry the detail.
public enum WorkloadState: String, Sendable, Hashable, Codable, CaseIterable {
    case pending = "Pending"
    case scheduled = "Scheduled"
    case running = "Running"
    case stopping = "Stopping"
    case failed = "Failed"
    /// The host lost contact and the workload keeps running there, as far as anybody knows.
    case unknown = "Unknown"
    /// Found running without a workload that asks for it.
    case quarantined = "Quarantined"
}

public struct VMStatus: Sendable, Hashable, Codable {
    public var state: WorkloadState
    public var observedGeneration: Int
    public var cell: String?
    /// Name of the host of the writing allocation.
    public var host: String?
    public var allocation: ID<Allocation>?
    public var scheduledAt: Timestamp?
    public var runningAt: Timestamp?
    /// Starts that ended without the VM being asked to stop.
    public var restarts: Int
    public var conditions: [Condition]

    public init(
        state: WorkloadState = .pending, observedGeneration: Int = 0, cell: String? = nil,
        host: String? = nil,
        allocation: ID<Allocation>? = nil, scheduledAt: Timestamp? = nil, runningAt: Timestamp? = nil,
        restarts: Int = 0, conditions: [Condition] = []
    ) {
        self.state = state
        self.observedGeneration = observedGeneration
        self.cell = cell
        self.host = host
        self.allocation = allocation
        self.scheduledAt = scheduledAt
        self.runningAt = runningAt
        self.restarts = restarts
        self.conditions = conditions
    }
}
