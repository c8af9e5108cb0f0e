public import Fleet

/// What lifetime-aware placement remembers of a host: small, so that it can be stored and restored.
public struct HostLifetime: Sendable, Hashable, Codable {
    /// A host's part in LAVA.
    public enum State: UInt8, Sendable, Hashable, Codable {
        /// No VM, no class.
        case empty
        /// Takes VMs of its own class until it is nearly full.
        case open
        /// Was nearly full once; its gaps are for VMs of shorter classes.
        case recycling
    }

    public var state: State
    /// Nil for an empty host.
    public var `class`: LifetimeClass?
    /// When a VM that is still there has outlived the class; nil for an empty host.
    public var deadline: Timestamp?
    /// Expected time at which the last of its VMs ends; nil when empty, or when it has to be predicted anew.
    public var exit: Timestamp?
    /// The VMs that the class was made for, by id; those that came into the gaps are not among them.
    public var residuals: [ID<Allocation>]
    /// All of its VMs, by id, with what was predicted of them.
    public var residents: [VM]

    /// What was predicted of a VM when it came.
    public struct VM: Sendable, Hashable, Codable {
        public var allocation: ID<Allocation>
        /// When it started, wherever that was.
        public var startedAt: Timestamp
        /// Its end by the prediction for its start.
        public var exit: Timestamp
        /// Class of what was left of it when it came.
        public var lifetimeClass: LifetimeClass

        public init(
            allocation: ID<Allocation>, startedAt: Timestamp, exit: Timestamp, lifetimeClass: LifetimeClass
        ) {
            self.allocation = allocation
            self.startedAt = startedAt
            self.exit = exit
            self.lifetimeClass = lifetimeClass
        }
    }

    public init(
        state: State = .empty, class: LifetimeClass? = nil, deadline: Timestamp? = nil,
        exit: Timestamp? = nil, residuals: [ID<Allocation>] = [], residents: [VM] = []
    ) {
        self.state = state
        self.class = `class`
        self.deadline = deadline
        self.exit = exit
        self.residuals = residuals
        self.residents = residents
    }
}
