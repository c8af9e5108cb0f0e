public import Fleet

/// Exchanges a single-use join token for the session's own credential.
///
/// `POST /v1/agent/join`, without other authentication.
public struct JoinRequest: Sendable, Codable, Equatable {
    /// Secret of the join token.
    public var token: String
    /// Name of the session, for people; unique among live sessions.
    public var session: String
    public var substrate: String
    /// Names of the hosts the session wants to carry; each must match the token's host pattern.
    public var hosts: [String]

    public init(token: String, session: String, substrate: String, hosts: [String]) {
        self.token = token
        self.session = session
        self.substrate = substrate
        self.hosts = hosts
    }
}

/// The credential of a new session, told once.
public struct JoinResponse: Sendable, Codable, Equatable {
    public var session: ID<AgentSession>
    /// Bearer token of the session; the controllers keep its hash only.
    public var credential: String

    public init(session: ID<AgentSession>, credential: String) {
        self.session = session
        self.credential = credential
    }
}

/// Marks ids of agent sessions.
public enum AgentSession {}

/// Sent once by every start of an agent: who it is now and what its hosts are.
///
/// `POST /v1/agent/hello`. A hello takes the session over from an earlier process with the same credential:
/// calls that carry an older incarnation are refused with `session.superseded`.
public struct HelloRequest: Sendable, Codable, Equatable {
    public var version: String
    public var hosts: [HostHello]

    public init(version: String, hosts: [HostHello]) {
        self.version = version
        self.hosts = hosts
    }
}

/// One host as its agent found it, with the parts that run there already.
public struct HostHello: Sendable, Codable, Equatable {
    public var name: String
    public var inventory: HostInventory
    /// Highest generation the agent's ledger holds for the host; nil when it never had one.
    public var generation: Generation?
    public var parts: [PartReport]

    public init(name: String, inventory: HostInventory, generation: Generation?, parts: [PartReport]) {
        self.name = name
        self.inventory = inventory
        self.generation = generation
        self.parts = parts
    }
}

/// The terms of the session, and the hosts it does not get.
public struct HelloResponse: Sendable, Codable, Equatable {
    /// Number of this start; goes into every later call.
    public var incarnation: Int
    public var epoch: Int
    public var lease: LeaseTerms
    public var limits: SessionLimits
    /// Hosts that another live session holds, or that the credential does not cover.
    public var refused: [RefusedHost]

    public init(
        incarnation: Int, epoch: Int, lease: LeaseTerms, limits: SessionLimits, refused: [RefusedHost]
    ) {
        self.incarnation = incarnation
        self.epoch = epoch
        self.lease = lease
        self.limits = limits
        self.refused = refused
    }
}

/// A host that the session does not speak for, and why.
public struct RefusedHost: Sendable, Codable, Equatable {
    public var name: String
    public var reason: Reason
    public var message: String

    public init(name: String, reason: Reason, message: String) {
        self.name = name
        self.reason = reason
        self.message = message
    }
}
