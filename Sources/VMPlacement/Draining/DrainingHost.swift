public import Fleet

/// A host that is to be emptied.
public struct DrainingHost: Sendable, Hashable {
    public var id: ID<Document>
    public var name: String
    public var pool: String
    /// VMs on it that do not move yet.
    public var vms: [DrainingVM]
    /// Allocations on it, whatever becomes of them.
    public var left: Int
    /// VMs that are on their way from it, or stopping.
    public var underWay: Int
    /// VMs on their way at once.
    public var slots: Int
    /// Whether anything may begin to move now.
    public var isOpen: Bool
    /// Fleet time by which it is to be empty; natural exits are waited for until then, as far as it takes.
    public var due: Timestamp?
    /// Whether what cannot move stops, whatever its owner wishes.
    public var stopsTheRest: Bool
    /// Whether VMs that moved lately stay for a while.
    public var coolsDown: Bool
    public var rules: MigrationRules

    public init(
        id: ID<Document>, name: String, pool: String, vms: [DrainingVM], left: Int, underWay: Int = 0,
        slots: Int? = nil, isOpen: Bool = true, due: Timestamp? = nil, stopsTheRest: Bool = false,
        coolsDown: Bool = false, rules: MigrationRules = MigrationRules()
    ) {
        self.id = id
        self.name = name
        self.pool = pool
        self.vms = vms
        self.left = left
        self.underWay = underWay
        self.slots = slots ?? rules.hostSlots
        self.isOpen = isOpen
        self.due = due
        self.stopsTheRest = stopsTheRest
        self.coolsDown = coolsDown
        self.rules = rules
    }
}

/// A VM on such a host.
public struct DrainingVM: Sendable, Hashable {
    public var allocation: ID<Allocation>
    public var workload: WorkloadReference
    /// What another host is asked for; nil when its flavor is gone.
    public var request: VMRequest?
    public var lifetime: VMLifetime
    /// Why it stays where it is, for its owner's wish.
    public var pinned: DrainPreview.Blocked?
    /// When it moved last, on the fleet clock.
    public var movedAt: Timestamp?
    /// Disruption budgets that it is under, by position.
    public var budgets: [Int]

    public init(
        allocation: ID<Allocation>, workload: WorkloadReference, request: VMRequest?, lifetime: VMLifetime,
        pinned: DrainPreview.Blocked? = nil, movedAt: Timestamp? = nil, budgets: [Int] = []
    ) {
        self.allocation = allocation
        self.workload = workload
        self.request = request
        self.lifetime = lifetime
        self.pinned = pinned
        self.movedAt = movedAt
        self.budgets = budgets
    }
}

/// What becomes of one host in a round.
public struct DrainDecision: Sendable, Hashable {
    public struct Move: Sendable, Hashable {
        public var vm: DrainingVM
        public var request: VMRequest
        public var target: PlacementChoice
        /// Whether it begins now; the others wait for a slot, a window or natural exits.
        public var begins: Bool
        /// When its turn comes, counted from now with the usual length of a move.
        public var turn: Duration
        /// Seconds that it is predicted to live on; nil where lifetimes are not tracked.
        public var remaining: Double?

        /// Whether it is predicted to end before its turn.
        public var endsFirst: Bool { remaining.map { .seconds($0) <= turn } ?? false }
    }

    public var host: ID<Document>
    /// VMs that another host can take, in the order in which they go.
    public var moves: [Move] = []
    public var blocked: [DrainPreview.Blocked] = []
    /// What stops because it cannot move and time is up.
    public var stops: [ID<Allocation>] = []
    /// Until when natural exits are waited for; nil when they are not.
    public var waitsUntil: Timestamp?
    public var left: Int
    /// What the order went by: less than the rules ask for where lifetimes are not tracked.
    public var order: DrainOrder

    /// Moves that begin now.
    public var beginning: [Move] { moves.filter(\.begins) }
}
