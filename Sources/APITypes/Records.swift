public import Fleet

/// `POST /v1/tokens`: a new bearer token. The secret is answered once and never stored.
public struct TokenRequest: Sendable, Hashable, Codable {
    public var name: String
    public var role: Role
    /// Seconds until it expires; nil never does.
    public var ttlSeconds: Int?
    /// Projects that it is bound to; nil reaches the whole fleet.
    public var projects: [String]?

    public init(name: String, role: Role, ttlSeconds: Int? = nil, projects: [String]? = nil) {
        self.name = name
        self.role = role
        self.ttlSeconds = ttlSeconds
        self.projects = projects
    }
}

/// `POST /v1/jointokens`: a single-use token with which an agent makes hosts of one pool known.
public struct JoinTokenRequest: Sendable, Hashable, Codable {
    public var cell: String
    public var pool: String
    /// Host names the session may carry; `*` at the end stands for any rest.
    public var hosts: String
    public var ttlSeconds: Int

    public init(cell: String, pool: String, hosts: String, ttlSeconds: Int) {
        self.cell = cell
        self.pool = pool
        self.hosts = hosts
        self.ttlSeconds = ttlSeconds
    }
}

/// Body of `POST /v1/hosts/{name}/cordon`, `/uncordon`, `/drain`, `/undrain` and `/fence`.
public struct HostVerbRequest: Sendable, Hashable, Codable {
    public var reason: String
    /// Fencing only: the operator vouches that nothing runs on the host.
    public var confirm: Bool?
    /// Draining only, as the rest: fleet seconds from now until the deadline.
    public var deadlineSeconds: Int?
    public var atDeadline: DrainSpec.AtDeadline?
    public var maxParallel: Int?
    /// Also outside of maintenance windows.
    public var force: Bool?
    /// Fleet time by which the host is to be empty.
    public var due: Timestamp?
    /// As `due`, in fleet seconds from now. VMs are left to end by themselves as long as the rest can move in
    /// time.
    public var dueSeconds: Int?

    public init(
        reason: String, confirm: Bool? = nil, deadlineSeconds: Int? = nil,
        atDeadline: DrainSpec.AtDeadline? = nil, maxParallel: Int? = nil, force: Bool? = nil,
        due: Timestamp? = nil, dueSeconds: Int? = nil
    ) {
        self.due = due
        self.dueSeconds = dueSeconds
        self.reason = reason
        self.confirm = confirm
        self.deadlineSeconds = deadlineSeconds
        self.atDeadline = atDeadline
        self.maxParallel = maxParallel
        self.force = force
    }
}

/// Body of `POST /v1/hosts/{name}/preempt`: the machine will be taken away.
public struct PreemptionNotice: Sendable, Hashable, Codable {
    public var reason: String
    /// Fleet time.
    public var at: Timestamp?
    /// As `at`, in fleet seconds from now.
    public var inSeconds: Int?

    public init(reason: String, at: Timestamp? = nil, inSeconds: Int? = nil) {
        self.reason = reason
        self.at = at
        self.inSeconds = inSeconds
    }
}

/// One of `GET /v1/breakers`: a failure domain whose lost hosts are not fenced until a person says so.
public struct BreakerSummary: Sendable, Hashable, Codable {
    public var cell: String
    public var zone: String
    public var since: Timestamp
    /// Hosts that were lost when it tripped, and how many the zone had.
    public var lost: Int
    public var hosts: Int

    public init(cell: String, zone: String, since: Timestamp, lost: Int, hosts: Int) {
        self.cell = cell
        self.zone = zone
        self.since = since
        self.lost = lost
        self.hosts = hosts
    }
}

/// Body of `POST /v1/cells/{name}/breaker/reset`: the silent hosts of the zone are lost.
public struct BreakerResetRequest: Sendable, Hashable, Codable {
    public var zone: String
    public var reason: String

    public init(zone: String, reason: String) {
        self.zone = zone
        self.reason = reason
    }
}

/// What a reset of a breaker confirmed.
public struct BreakerResetResponse: Sendable, Hashable, Codable {
    public var cell: String
    public var zone: String
    /// Hosts that may be fenced now.
    public var confirmed: Int

    public init(cell: String, zone: String, confirmed: Int) {
        self.cell = cell
        self.zone = zone
        self.confirmed = confirmed
    }
}

/// `GET …/why`: why a workload is where it is, or nowhere.
public struct WhyResponse: Sendable, Hashable, Codable {
    public var kind: Kind
    public var project: String?
    public var name: String
    public var state: WorkloadState
    public var reason: Reason
    public var message: String
    /// Place among the pending workloads of the cell, 1 is next; nil when not pending.
    public var queuePosition: Int?
    public var explanation: PlacementExplanation?
    /// When there may be room; nil when it does not wait for room.
    public var estimate: PlacementEstimate?
    /// Why the drain of its host leaves it there; nil when it does not, or its host is not drained.
    public var stays: DrainPreview.Blocked?

    public init(
        kind: Kind, project: String?, name: String, state: WorkloadState, reason: Reason, message: String,
        queuePosition: Int?, explanation: PlacementExplanation?, estimate: PlacementEstimate? = nil,
        stays: DrainPreview.Blocked? = nil
    ) {
        self.stays = stays
        self.estimate = estimate
        self.kind = kind
        self.project = project
        self.name = name
        self.state = state
        self.reason = reason
        self.message = message
        self.queuePosition = queuePosition
        self.explanation = explanation
    }
}

/// `GET /v1/cluster`: the fleet in one screen.
public struct ClusterSummary: Sendable, Hashable, Codable {
    public var epoch: Int
    public var schemaVersion: Int
    public var fleetTime: Timestamp
    public var fleetRate: Double
    public var cells: [CellSummary]
    public var controllers: [ControllerSummary]

    public init(
        epoch: Int, schemaVersion: Int, fleetTime: Timestamp, fleetRate: Double, cells: [CellSummary],
        controllers: [ControllerSummary]
    ) {
        self.epoch = epoch
        self.schemaVersion = schemaVersion
        self.fleetTime = fleetTime
        self.fleetRate = fleetRate
        self.cells = cells
        self.controllers = controllers
    }

    /// A cell in numbers; resources are sums over its hosts.
    public struct CellSummary: Sendable, Hashable, Codable {
        public var name: String
        public var hosts: Int
        public var readyHosts: Int
        public var emptyHosts: Int
        public var capacity: Resources
        public var used: Resources
        public var devices: Int
        public var usedDevices: Int
        public var allocations: Int
        public var runningVMs: Int
        public var pendingVMs: Int
        /// Used CPU over the CPU of hosts that are not empty, percent; nil when all are empty.
        public var packingDensityPct: Double?

        public init(
            name: String, hosts: Int, readyHosts: Int, emptyHosts: Int, capacity: Resources, used: Resources,
            devices: Int, usedDevices: Int, allocations: Int, runningVMs: Int, pendingVMs: Int,
            packingDensityPct: Double?
        ) {
            self.name = name
            self.hosts = hosts
            self.readyHosts = readyHosts
            self.emptyHosts = emptyHosts
            self.capacity = capacity
            self.used = used
            self.devices = devices
            self.usedDevices = usedDevices
            self.allocations = allocations
            self.runningVMs = runningVMs
            self.pendingVMs = pendingVMs
            self.packingDensityPct = packingDensityPct
        }
    }

    /// Who holds the lease of a cell, and until when.
    public struct ControllerSummary: Sendable, Hashable, Codable {
        public var cell: String
        public var holder: String
        public var token: Int
        public var expiresAt: Timestamp

        public init(cell: String, holder: String, token: Int, expiresAt: Timestamp) {
            self.cell = cell
            self.holder = holder
            self.token = token
            self.expiresAt = expiresAt
        }
    }
}

/// `POST /v1/check`: what journals of agents say, to be judged together with the ledger.
public struct CheckRequest: Sendable, Hashable, Codable {
    /// When the journals were read: what is released later may still run in them.
    public var readAt: Timestamp
    public var runs: [JournalRun]

    public init(readAt: Timestamp, runs: [JournalRun]) {
        self.readAt = readAt
        self.runs = runs
    }
}

/// A time in which a part ran, by the journal of its host.
public struct JournalRun: Sendable, Hashable, Codable {
    /// Name of the host.
    public var host: String
    public var allocation: ID<Allocation>
    public var workload: ID<Document>
    public var part: String
    public var from: Timestamp
    /// Nil while it runs.
    public var to: Timestamp?

    public init(
        host: String, allocation: ID<Allocation>, workload: ID<Document>, part: String, from: Timestamp,
        to: Timestamp?
    ) {
        self.host = host
        self.allocation = allocation
        self.workload = workload
        self.part = part
        self.from = from
        self.to = to
    }
}

/// `GET /v1/check`: the invariants, checked now.
public struct CheckResponse: Sendable, Hashable, Codable {
    public var checkedAt: Timestamp
    public var counts: [String: Int]
    public var violations: [InvariantViolation]

    public init(checkedAt: Timestamp, counts: [String: Int], violations: [InvariantViolation]) {
        self.checkedAt = checkedAt
        self.counts = counts
        self.violations = violations
    }
}

/// `GET /v1/version`.
public struct VersionResponse: Sendable, Hashable, Codable {
    public var version: String
    public var api: String
    public var schema: Int

    public init(version: String, api: String, schema: Int) {
        self.version = version
        self.api = api
        self.schema = schema
    }
}

/// A new bearer token with its secret, answered once.
public struct TokenResponse: Sendable, Hashable, Codable {
    public var name: String
    public var role: Role
    /// Projects that it is bound to, sorted; nil reaches the whole fleet.
    public var projects: [String]?
    public var secret: String
    public var expiresAt: Timestamp?

    public init(name: String, role: Role, projects: [String]? = nil, secret: String, expiresAt: Timestamp?) {
        self.name = name
        self.role = role
        self.projects = projects
        self.secret = secret
        self.expiresAt = expiresAt
    }
}

/// One of `GET /v1/tokens`: a bearer token without its secret.
public struct TokenSummary: Sendable, Hashable, Codable {
    public var name: String
    public var role: Role
    /// Projects that it is bound to, sorted; nil reaches the whole fleet.
    public var projects: [String]?
    public var expiresAt: Timestamp?

    public init(name: String, role: Role, projects: [String]?, expiresAt: Timestamp?) {
        self.name = name
        self.role = role
        self.projects = projects
        self.expiresAt = expiresAt
    }
}

/// A new join token, answered once.
public struct JoinTokenResponse: Sendable, Hashable, Codable {
    public var secret: String
    public var expiresAt: Timestamp

    public init(secret: String, expiresAt: Timestamp) {
        self.secret = secret
        self.expiresAt = expiresAt
    }
}

/// What a join token would be, without its secret.
public struct JoinTokenPreview: Sendable, Hashable, Codable {
    public var cell: String
    public var pool: String
    /// Host names the session may carry; `*` at the end stands for any rest.
    public var hosts: String
    public var expiresAt: Timestamp

    public init(cell: String, pool: String, hosts: String, expiresAt: Timestamp) {
        self.cell = cell
        self.pool = pool
        self.hosts = hosts
        self.expiresAt = expiresAt
    }
}
