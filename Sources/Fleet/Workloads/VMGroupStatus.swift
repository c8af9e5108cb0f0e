/// Where the members of a VM group are.
public struct VMGroupStatus: Sendable, Hashable, Codable {
    /// `Running` when every member runs, `Scheduled` when every one has a host, `Pending` before.
    public var state: WorkloadState
    public var observedGeneration: Int
    /// Where the members of a group live that is placed whole; chosen once.
    public var cell: String?
    /// Members that there are, without those that are being deleted.
    public var replicas: Int
    /// Of those, the members that have a host.
    public var placed: Int
    /// Of those, the members that run.
    public var running: Int
    public var conditions: [Condition]

    public init(
        state: WorkloadState = .pending, observedGeneration: Int = 0, cell: String? = nil, replicas: Int = 0,
        placed: Int = 0, running: Int = 0, conditions: [Condition] = []
    ) {
        self.state = state
        self.observedGeneration = observedGeneration
        self.cell = cell
        self.replicas = replicas
        self.placed = placed
        self.running = running
        self.conditions = conditions
    }
}
