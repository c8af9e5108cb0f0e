public import AgentProtocol
public import Fleet

/// Agent sessions, host leases and what agents report.
public protocol SessionStore: Sendable {
    /// - Parameter isTrial: finds out whether it could be made, and makes none.
    func createJoinToken(_ token: JoinToken, context: WriteContext, isTrial: Bool) async throws

    /// Spends a join token for a session with a credential of its own.
    ///
    /// - Throws: `unauthorized` when the token is unknown, spent, expired or does not cover a host.
    func join(_ request: JoinSpending) async throws -> ID<AgentSession>

    /// The session of a credential; nil when there is none or it was revoked.
    func session(credentialHash: String) async throws -> SessionRecord?

    /// Starts an incarnation: creates missing host documents, refreshes inventories, binds hosts, renews.
    ///
    /// A host that a live session holds, or whose name the session does not cover, is refused. A hello names
    /// every host that the session carries: others that were bound to it are bound no more, and when they are
    /// many, they are not fenced until they return or a person confirms. Parts that the ledger does not know
    /// become quarantined allocations under the id that the agent gives.
    func hello(_ hello: SessionHello) async throws -> HelloOutcome

    /// Renews the leases of the session's hosts and moves allocations to what the agent saw.
    ///
    /// `reserved → active` on running; anything unreleased → released on stopped or failed. What runs
    /// although its allocation is released is listed to the agent as to be stopped. A repeated sequence is
    /// acknowledged without effect.
    /// - Throws: `sessionSuperseded`.
    func report(_ report: SessionReport) async throws -> [RefusedPart]

    /// Moves hosts whose lease ran out: `ready → suspect` after `lease`, `suspect → fenced` after
    /// `fencedAfter`, and back to ready when renewed.
    ///
    /// After a gap of over `terms.outageSeconds` in which no controller could commit, all leases are extended
    /// by one lease before expiry is judged. More than `breaker` of a failure domain lost within a minute
    /// trips its breaker: from then on nothing of it is fenced, until its hosts return or a person resets it.
    func judgeHosts(cell: CellLease, terms: LeaseTerms, breaker: Double) async throws -> HostJudgement

    /// Failure domains whose fencing the breaker holds, by cell and zone.
    func breakers() async throws -> [TrippedBreaker]

    /// A person confirms that the silent hosts of a zone are lost: from now on neither breaker nor hold keeps
    /// them from being fenced.
    ///
    /// - Parameter isTrial: answers what would be, and changes nothing.
    /// - Returns: how many hosts that are.
    /// - Throws: `notFound` when nothing is held there.
    func resetBreaker(cell: String, zone: String, context: WriteContext, isTrial: Bool) async throws -> Int

    /// Releases allocations on a fenced host: all with `onPartition: stop`, or every one when an operator
    /// confirmed that the host is off; a suspect host is fenced then.
    func releaseFenced(host: ID<Document>, everything: Bool, lease: CellLease, context: WriteContext)
        async throws
        -> [ID<Allocation>]

    func sessions() async throws -> [SessionRecord]
}

/// A single-use token with which an agent becomes a session.
public struct JoinToken: Sendable, Hashable {
    public var secretHash: String
    public var cell: String
    public var pool: String
    /// Name, or prefix followed by `*`.
    public var hostPattern: String
    public var lifetime: Duration

    public init(secretHash: String, cell: String, pool: String, hostPattern: String, lifetime: Duration) {
        self.secretHash = secretHash
        self.cell = cell
        self.pool = pool
        self.hostPattern = hostPattern
        self.lifetime = lifetime
    }

    /// Whether a pattern covers a host name.
    public static func covers(_ pattern: String, host: String) -> Bool {
        pattern.hasSuffix("*") ? host.hasPrefix(pattern.dropLast()) : host == pattern
    }
}

/// A join token that is spent, and the session that it makes.
public struct JoinSpending: Sendable, Hashable {
    public var tokenHash: String
    public var session: ID<AgentSession>
    public var name: String
    public var substrate: String
    public var hosts: [String]
    public var credentialHash: String

    public init(
        tokenHash: String, session: ID<AgentSession>, name: String, substrate: String, hosts: [String],
        credentialHash: String
    ) {
        self.tokenHash = tokenHash
        self.session = session
        self.name = name
        self.substrate = substrate
        self.hosts = hosts
        self.credentialHash = credentialHash
    }
}

/// A session of an agent: who it is and which hosts it may speak for.
public struct SessionRecord: Sendable, Hashable {
    public var id: ID<AgentSession>
    public var name: String
    public var cell: String
    public var pool: String
    public var hostPattern: String
    public var incarnation: Int
    /// Epoch of the last hello: what the session runs is known in that epoch only.
    public var epoch: Int
    public var renewedAt: Timestamp?

    public init(
        id: ID<AgentSession>, name: String, cell: String, pool: String, hostPattern: String, incarnation: Int,
        epoch: Int, renewedAt: Timestamp?
    ) {
        self.id = id
        self.name = name
        self.cell = cell
        self.pool = pool
        self.hostPattern = hostPattern
        self.incarnation = incarnation
        self.epoch = epoch
        self.renewedAt = renewedAt
    }
}

/// What an agent says when it begins: its hosts with their inventory.
public struct SessionHello: Sendable {
    public var session: ID<AgentSession>
    public var hosts: [HostHello]
    /// Ids for documents and quarantined allocations that the hello creates, one per host and one per part.
    public var ids: any IDSource
    /// How long a silent session keeps its hosts.
    public var terms: LeaseTerms
    /// When missing hosts look like a fault of the agent.
    public var absence: AbsenceGuard

    public init(
        session: ID<AgentSession>, hosts: [HostHello], ids: any IDSource, terms: LeaseTerms,
        absence: AbsenceGuard = .standard
    ) {
        self.session = session
        self.hosts = hosts
        self.ids = ids
        self.terms = terms
        self.absence = absence
    }
}

/// When a session that names fewer hosts than before is not believed.
public struct AbsenceGuard: Sendable, Hashable {
    /// Share of the session's hosts; more than that missing at once is held.
    public var fraction: Double
    /// Fewer missing hosts are believed: of a small session one is already a large fraction.
    public var fewest: Int

    public static let standard = AbsenceGuard(fraction: 0.1, fewest: 3)

    public init(fraction: Double, fewest: Int) {
        self.fraction = fraction
        self.fewest = fewest
    }

    package func holds(missing: Int, of carried: Int) -> Bool {
        missing >= fewest && Double(missing) > fraction * Double(carried)
    }
}

/// A failure domain whose fencing the breaker holds.
public struct TrippedBreaker: Sendable, Hashable {
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

/// What became of the hosts of a hello.
public struct HelloOutcome: Sendable, Equatable {
    public var incarnation: Int
    public var epoch: Int
    public var refused: [RefusedHost]

    public init(incarnation: Int, epoch: Int, refused: [RefusedHost]) {
        self.incarnation = incarnation
        self.epoch = epoch
        self.refused = refused
    }
}

/// What an agent saw of its parts since the last report.
public struct SessionReport: Sendable, Equatable {
    public var session: ID<AgentSession>
    public var incarnation: Int
    public var sequence: Int
    public var parts: [PartReport]
    public var unreachable: [String]

    public init(
        session: ID<AgentSession>, incarnation: Int, sequence: Int, parts: [PartReport], unreachable: [String]
    ) {
        self.session = session
        self.incarnation = incarnation
        self.sequence = sequence
        self.parts = parts
        self.unreachable = unreachable
    }
}

/// What a judgement of host leases changed.
public struct HostJudgement: Sendable, Hashable {
    public var suspected: [ID<Document>]
    public var fenced: [ID<Document>]
    public var returned: [ID<Document>]
    /// Failure domains in which the breaker holds further moves back.
    public var tripped: [String]

    public init(
        suspected: [ID<Document>], fenced: [ID<Document>], returned: [ID<Document>], tripped: [String]
    ) {
        self.suspected = suspected
        self.fenced = fenced
        self.returned = returned
        self.tripped = tripped
    }
}
