public import Fleet
public import Store

/// What the invariants are judged on: ledger, documents, feed, events and what shims wrote down, as of one
/// moment.
public struct FleetSnapshot: Sendable {
    public var hosts: [HostRecord]
    /// Released ones included.
    public var allocations: [Allocation]
    public var workloads: [WorkloadRecord]
    /// Plans in the order in which they were applied, one entry per application.
    public var plans: [ID<Plan>]
    /// Entries in the order of the feed; the older ones may be gone.
    public var feed: [FeedEntry]
    /// Oldest first; the older ones may be gone.
    public var events: [EventRecord]
    public var quotas: [QuotaRecord]
    /// What hosts looked like before, oldest first.
    public var observations: [HostObservation]
    /// Starts and stops, in the order in which each host wrote them down.
    public var journals: [JournalEntry]
    /// How far clocks of hosts and the store's may differ where their times are compared.
    public var clockSkew: Duration
    /// Whether nothing changed while the parts were read; violations of a torn snapshot may be none.
    public var isStable: Bool

    public init(
        hosts: [HostRecord], allocations: [Allocation], workloads: [WorkloadRecord], plans: [ID<Plan>],
        feed: [FeedEntry], events: [EventRecord], quotas: [QuotaRecord],
        observations: [HostObservation] = [], journals: [JournalEntry] = [], clockSkew: Duration = .zero,
        isStable: Bool = true
    ) {
        self.hosts = hosts
        self.allocations = allocations
        self.workloads = workloads
        self.plans = plans
        self.feed = feed
        self.events = events
        self.quotas = quotas
        self.observations = observations
        self.journals = journals
        self.clockSkew = clockSkew
        self.isStable = isStable
    }
}

/// A workload's document, as far as the invariants care.
public struct WorkloadRecord: Sendable, Hashable {
    public var uid: ID<Document>
    public var kind: Kind
    public var project: String
    public var name: String
    public var generation: Int
    public var deletionTimestamp: Timestamp?

    public init(
        uid: ID<Document>, kind: Kind, project: String, name: String, generation: Int,
        deletionTimestamp: Timestamp?
    ) {
        self.uid = uid
        self.kind = kind
        self.project = project
        self.name = name
        self.generation = generation
        self.deletionTimestamp = deletionTimestamp
    }
}

/// What a host's ledger row held at an earlier moment.
public struct HostObservation: Sendable, Hashable {
    public var host: ID<Document>
    /// Generation of inventory, schedulability and ratio.
    public var generation: Generation
    /// Generation of what agents are told.
    public var assignment: Generation
    public var room: HostRoom

    public init(host: ID<Document>, generation: Generation, assignment: Generation, room: HostRoom) {
        self.host = host
        self.generation = generation
        self.assignment = assignment
        self.room = room
    }

    public init(_ record: HostRecord, epoch: Int) {
        self.init(
            host: record.id, generation: Generation(epoch: epoch, number: record.generation),
            assignment: Generation(epoch: epoch, number: record.assignment), room: record.room)
    }
}

/// One line of a shim's journal.
public struct JournalEntry: Sendable, Hashable {
    public enum Event: String, Sendable, Hashable, Codable { case start, stop }

    /// Clock of the host.
    public var at: Timestamp
    public var host: ID<Document>
    public var allocation: ID<Allocation>
    public var workload: ID<Document>
    public var part: String
    public var event: Event
    /// Assignment that the agent acted on.
    public var generation: Generation

    public init(
        at: Timestamp, host: ID<Document>, allocation: ID<Allocation>, workload: ID<Document>, part: String,
        event: Event, generation: Generation
    ) {
        self.at = at
        self.host = host
        self.allocation = allocation
        self.workload = workload
        self.part = part
        self.event = event
        self.generation = generation
    }
}
