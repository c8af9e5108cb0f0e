/// Plans that ran out of memory, and with them all that need no less.
public struct FailureTable: Sendable, Hashable, Codable {
    /// What failed.
    public struct Entry: Sendable, Hashable, Codable {
        public var parameters: Double
        public var plan: ExecutionPlan
        public var microBatch: Int

        public init(parameters: Double, plan: ExecutionPlan, microBatch: Int) {
            self.parameters = parameters
            self.plan = plan
            self.microBatch = microBatch
        }

        /// Whether the other has at least as much on each GPU: more parameters over fewer GPUs of every kind,
        /// and a micro-batch that is no smaller, with no saving that this one lacks.
        func implies(_ other: Entry) -> Bool {
            other.parameters >= parameters && other.plan.tensor <= plan.tensor
                && other.plan.pipeline <= plan.pipeline && other.plan.data <= plan.data
                && other.microBatch >= microBatch && (plan.checkpointing || !other.plan.checkpointing)
                && other.plan.sharding.saving <= plan.sharding.saving
        }
    }

    public private(set) var entries: [Entry] = []

    public init() {}

    /// Learns a failure; what follows from an earlier one is not kept twice.
    public mutating func learn(_ entry: Entry) {
        guard !rules(out: entry) else { return }
        entries.removeAll { entry.implies($0) }
        entries.append(entry)
    }

    public func rules(out entry: Entry) -> Bool { entries.contains { $0.implies(entry) } }
}

extension ExecutionPlan.Sharding {
    /// The more, the less is on a GPU.
    fileprivate var saving: Int {
        switch self {
        case .none: 0
        case .sharded: 1
        case .offload: 2
        }
    }
}
