public import AgentProtocol
public import Fleet

/// The ledger: hosts with their room, allocations, plans and quotas.
public protocol LedgerStore: Sendable {
    /// Applies a plan: each group whole or not at all, in order; refused groups say why.
    ///
    /// Lease row first, then host rows in id order, then quota rows, then workloads. Room is checked against
    /// the rows themselves, so a plan made on an old snapshot cannot overfill a host.
    /// - Throws: `leaseLost`, `planParentStale`, `planAlreadyApplied`; nothing is written then.
    func commit(_ commit: LedgerCommit) async throws -> CommitOutcome

    /// Takes migrations back by their reservations: these are freed at once, since no agent was told of them,
    /// and the sources go on, or go on stopping. What stands by no more is skipped.
    ///
    /// - Parameter message: why, for the workloads' events.
    /// - Returns: the reservations that are freed, sorted.
    /// - Throws: `leaseLost`.
    func cancelMigrations(
        _ targets: [ID<Allocation>], message: String, source: String, lease: CellLease
    ) async throws -> [ID<Allocation>]

    /// Writes statuses of workloads of the cell, under the cell lease. A workload that is gone, or whose
    /// status version moved past `expected`, is skipped.
    /// - Throws: `leaseLost`.
    func writeStatuses(_ writes: [StatusWrite], lease: CellLease) async throws

    /// Removes workloads that are marked deleted and have no unreleased allocation.
    ///
    /// - Returns: the uids that are gone.
    /// - Throws: `leaseLost`.
    func finalize(_ workloads: [ID<Document>], lease: CellLease) async throws -> [ID<Document>]

    /// Hosts as the ledger holds them, sorted by id.
    func hosts(_ filter: HostFilter) async throws -> [HostRecord]

    /// Allocations sorted by id, pages descending.
    func allocations(_ filter: AllocationFilter) async throws -> [Allocation]

    /// Every allocation on the given hosts that is not released, with each host's assignment generation, in
    /// one snapshot: what agents are told.
    ///
    /// Released ones among them still run and are to be stopped. Left out are allocations from before the
    /// epoch until its quarantine ends, and those of which a quarantined copy runs: what runs goes on
    /// unlisted, and nothing is started twice.
    ///
    /// - Parameter known: numbers of assignments, of this epoch, that need not be told again; such hosts are
    ///   left out.
    func assignments(hosts: [ID<Document>], known: [ID<Document>: Int]) async throws -> [HostAssignmentRecord]

    /// Sums per cell that has a document, by name.
    func cellTotals() async throws -> [CellTotals]

    /// VMs without an unreleased allocation that are not being deleted, by cell; "" while none is chosen.
    func countWaitingVMs() async throws -> [String: Int]

    /// Takes a quarantined allocation over as the writer of its workload. One that is not quarantined stays
    /// as it is.
    ///
    /// - Parameters:
    ///   - draft: makes the workload's document where there is none.
    ///   - isTrial: answers what would be, and changes nothing.
    /// - Throws: `notFound`, also when there is neither document nor draft; `inUse` while another allocation
    ///   writes; what `create` throws.
    func adopt(_ id: ID<Allocation>, draft: DocumentDraft?, context: WriteContext, isTrial: Bool)
        async throws -> Allocation

    /// Asks for the end of a quarantined allocation, or of one that a quarantined copy of its part stands
    /// against.
    ///
    /// - Parameter isTrial: answers what would be, and changes nothing.
    /// - Throws: `notFound`; `inUse` for an allocation that its workload needs.
    func stop(_ id: ID<Allocation>, context: WriteContext, isTrial: Bool) async throws -> Allocation

    /// Writes down what is known of lifetimes, under the cell lease; a plan that goes by it brings it along.
    ///
    /// - Throws: `leaseLost`.
    func writeLifetimes(_ note: LifetimeNote, lease: CellLease) async throws

    /// What was written down of a cell's lifetimes, hosts sorted by id.
    func lifetimes(cell: String) async throws -> LifetimeRecord

    func plan(_ id: ID<Plan>) async throws -> Plan?

    /// The last plan of an engine in a cell.
    func planHead(cell: String, engine: Plan.Engine) async throws -> ID<Plan>?
}

/// A plan on its way into the ledger.
public struct LedgerCommit: Sendable, Hashable {
    public var lease: CellLease
    public var plan: Plan
    /// New status, JSON, of each workload that the plan touches; written when its groups are accepted.
    public var statuses: [ID<Document>: String]
    /// What the plan was made on; what it predicts of its VMs is added for accepted groups. Nil when nothing
    /// moved since the last note.
    public var lifetimes: LifetimeNote?

    public init(
        lease: CellLease, plan: Plan, statuses: [ID<Document>: String], lifetimes: LifetimeNote? = nil
    ) {
        self.lease = lease
        self.plan = plan
        self.statuses = statuses
        self.lifetimes = lifetimes
    }

    /// Whether there is anything of lifetimes to write.
    var tellsLifetimes: Bool {
        lifetimes != nil
            || !plan.predictions.isEmpty
    }

    /// Whether parts migrate. Such a plan places none: the quotas of those that move are looked through.
    var migrates: Bool {
        plan.groups.contains { group in
            group.directives.contains { if case .migrate = $0 { true } else { false } }
        }
    }

    /// Whether parts bring what they run.
    var bringsTasks: Bool {
        plan.groups.contains { group in
            group.directives.contains {
                if case .allocate(let allocate) = $0 { allocate.allocation.task != nil } else { false }
            }
        }
    }

    /// - Throws: `corrupt` for a plan that migrates and places.
    func checkMigrations() throws {
        let places = plan.groups.contains { group in
            group.directives.contains { if case .allocate = $0 { true } else { false } }
        }
        if places, migrates { throw StoreError.corrupt("a plan that migrates places nothing") }
    }
}

extension Plan {
    /// What was predicted of the parts that it gives a host to, in order.
    var predictions: [(id: ID<Allocation>, lifetime: PredictedLifetime)] {
        groups.flatMap(\.directives).compactMap { directive in
            switch directive {
            case .allocate(let allocate): allocate.lifetime.map { (allocate.allocation.id, $0) }
            case .migrate(let migrate): migrate.lifetime.map { (migrate.allocation.id, $0) }
            case .release: nil
            }
        }
    }
}

/// What an engine knows of lifetimes, in its own words: JSON objects.
public struct LifetimeNote: Sendable, Hashable {
    public var cell: String
    /// Hosts that moved; each replaces what was known of the host.
    public var hosts: [ID<Document>: String]

    public init(cell: String, hosts: [ID<Document>: String]) {
        self.cell = cell
        self.hosts = hosts
    }
}

/// What a cell keeps of lifetimes, so that a new holder of its lease goes on where the last one was.
public struct LifetimeRecord: Sendable, Hashable {
    /// As in `LifetimeNote`; nil when nothing was written.
    public var cell: String?
    public var hosts: [Host]

    public init(cell: String?, hosts: [Host]) {
        self.cell = cell
        self.hosts = hosts
    }

    public struct Host: Sendable, Hashable {
        public var host: ID<Document>
        /// As in `LifetimeNote`; nil when there is no note of it.
        public var kept: String?
        /// VMs that plans placed since, in order.
        public var arrivals: [Arrival]

        public init(host: ID<Document>, kept: String? = nil, arrivals: [Arrival] = []) {
            self.host = host
            self.kept = kept
            self.arrivals = arrivals
        }
    }

    public struct Arrival: Sendable, Hashable, Codable {
        public var allocation: ID<Allocation>
        public var lifetime: PredictedLifetime

        public init(allocation: ID<Allocation>, lifetime: PredictedLifetime) {
            self.allocation = allocation
            self.lifetime = lifetime
        }
    }
}

/// Which groups of a commit were refused; the others stand.
public struct CommitOutcome: Sendable, Hashable {
    /// Refused groups by index, ascending.
    public var refusals: [GroupRefusal]
    /// Position of the commit's own changes.
    public var transaction: UInt64

    public init(refusals: [GroupRefusal], transaction: UInt64) {
        self.refusals = refusals
        self.transaction = transaction
    }
}

/// Why a group was not applied; the first directive that could not be.
public struct GroupRefusal: Sendable, Hashable {
    public var group: Int
    public var reason: Reason
    /// Host that refused; nil when it was not a host.
    public var host: ID<Document>?

    public init(group: Int, reason: Reason, host: ID<Document>?) {
        self.group = group
        self.reason = reason
        self.host = host
    }
}

/// A status and the events that tell of its change, written in one transaction.
public struct StatusWrite: Sendable, Hashable {
    public var uid: ID<Document>
    /// `resourceVersion` that the status was computed from.
    public var expected: String
    /// JSON object.
    public var status: String
    public var event: EventDraft?

    public init(uid: ID<Document>, expected: String, status: String, event: EventDraft?) {
        self.uid = uid
        self.expected = expected
        self.status = status
        self.event = event
    }
}

/// One host with everything that placement and agents need.
public struct HostRecord: Sendable, Hashable {
    public var id: ID<Document>
    public var name: String
    public var cell: String
    public var pool: String
    /// Labels of the document over those of the inventory.
    public var labels: [String: String]
    public var domain: FailureDomain
    public var substrate: String
    public var generation: Int
    /// Version of what shall run on the host.
    public var assignment: Int
    public var cordoned: Bool
    public var draining: Bool
    public var contact: HostContact
    public var session: ID<AgentSession>?
    public var room: HostRoom
    public var devices: [Device]
    /// UUIDs of devices under an unreleased allocation, sorted.
    public var takenDevices: [String]
    /// The guard of the host's cores lets no more VMs in.
    public var frozen: Bool

    public init(
        id: ID<Document>, name: String, cell: String, pool: String, labels: [String: String],
        domain: FailureDomain, substrate: String, generation: Int, assignment: Int, cordoned: Bool,
        draining: Bool,
        contact: HostContact, session: ID<AgentSession>?, room: HostRoom, devices: [Device],
        takenDevices: [String], frozen: Bool = false
    ) {
        self.id = id
        self.name = name
        self.cell = cell
        self.pool = pool
        self.labels = labels
        self.domain = domain
        self.substrate = substrate
        self.generation = generation
        self.assignment = assignment
        self.cordoned = cordoned
        self.draining = draining
        self.contact = contact
        self.session = session
        self.room = room
        self.devices = devices
        self.takenDevices = takenDevices
        self.frozen = frozen
    }
}

/// Which hosts are read.
public enum HostFilter: Sendable, Hashable {
    case all
    case cell(String)
    case ids([ID<Document>])
    case session(ID<AgentSession>)
}

/// Which allocations are read; released ones where ids or workloads are named.
public enum AllocationFilter: Sendable, Hashable {
    /// Not released, of every cell.
    case live
    /// Not released, of one cell.
    case cell(String)
    /// Not released, on these hosts.
    case hosts([ID<Document>])
    /// Of these workloads, released ones included.
    case workloads([ID<Document>])
    /// By id, released ones included.
    case ids([ID<Allocation>])
    /// The `limit` greatest ids below `after`, or of all, in descending order, released ones included.
    ///
    /// From new to old, because ids rise with time: the last id of a page is the cursor of the next, and
    /// allocations made meanwhile come before the first page, so they neither shift a page nor make the list
    /// longer.
    case page(after: ID<Allocation>?, limit: Int)
    /// The `limit` greatest ids of released ones of a cell, in descending order.
    case ended(cell: String, limit: Int)
}

/// What a host is to run, under the generation that agents compare.
public struct HostAssignmentRecord: Sendable, Hashable {
    public var host: ID<Document>
    public var name: String
    public var generation: Generation
    /// Sorted by id.
    public var allocations: [Allocation]
    /// What reserved and active allocations run, as they say themselves or else their workloads; quarantined
    /// ones go on as they are.
    public var tasks: [ID<Allocation>: PartTask]

    public init(
        host: ID<Document>, name: String, generation: Generation, allocations: [Allocation],
        tasks: [ID<Allocation>: PartTask] = [:]
    ) {
        self.host = host
        self.name = name
        self.generation = generation
        self.allocations = allocations
        self.tasks = tasks
    }
}
