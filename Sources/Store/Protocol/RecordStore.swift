public import Fleet

/// Events, operations, tokens and the audit log.
public protocol RecordStore: Sendable {
    func appendEvents(_ events: [EventDraft]) async throws

    /// Events after an id that match, oldest first, up to `limit`; without `after` the newest ones.
    func events(_ query: EventQuery) async throws -> [EventRecord]

    /// The next events after a cursor that match, in the order of the feed, so that no late commit enters
    /// behind a reader; `query.after` has no effect. A position of the feed is a cursor.
    ///
    /// - Throws: `watchExpired` when the cursor is of another epoch.
    func followEvents(_ query: EventQuery, after cursor: FeedCursor) async throws -> EventPage

    /// First steps of the VMs created since a time, newest creations first, at most `limit`.
    func vmLives(since: Timestamp, limit: Int) async throws -> [VMLife]

    func putOperation(_ operation: OperationRecord, context: WriteContext) async throws
    func operation(_ id: ID<OperationRecord>) async throws -> OperationRecord?
    /// Newest first.
    func operations(limit: Int) async throws -> [OperationRecord]

    /// - Parameter isTrial: finds out whether it could be made, and makes none.
    func createToken(_ token: AccessToken, context: WriteContext, isTrial: Bool) async throws
    /// The token with this hash that has not expired.
    func token(secretHash: String) async throws -> AccessToken?

    /// Tokens after a name, expired ones as well, in order of names.
    func tokens(after name: String?, limit: Int) async throws -> [AccessToken]
    /// - Throws: `notFound`.
    func deleteToken(_ name: String, context: WriteContext) async throws

    /// Audit rows that match, newest first.
    func audit(_ query: AuditQuery) async throws -> [AuditRecord]

    /// Writes an audit row of an attempt that was refused.
    func recordRefusal(of name: String, project: String?, context: WriteContext) async throws

    /// Forgets idempotency keys older than a day and makes room for the events of the coming days.
    func keepHouse() async throws

    /// Use and limit of each project and resource, sorted.
    func quotas() async throws -> [QuotaRecord]
}

/// Which events are asked for; nil matches all.
public struct EventQuery: Sendable, Hashable {
    public var kind: Kind?
    public var project: String?
    public var name: String?
    public var reason: Reason?
    public var after: Int64?
    /// Events of these projects only, none of what is in no project; nil is all.
    public var projects: [String]?
    public var limit: Int

    public init(
        kind: Kind? = nil, project: String? = nil, name: String? = nil, reason: Reason? = nil,
        after: Int64? = nil, projects: [String]? = nil, limit: Int = 100
    ) {
        self.kind = kind
        self.project = project
        self.name = name
        self.reason = reason
        self.after = after
        self.projects = projects
        self.limit = limit
    }
}

/// Events that follow a cursor.
public struct EventPage: Sendable, Hashable {
    public var events: [EventRecord]
    /// Where to go on: the transaction and id of the last event, or the cursor that was given.
    public var next: FeedCursor

    public init(events: [EventRecord], next: FeedCursor) {
        self.events = events
        self.next = next
    }
}

/// A bearer token of the API; only the hash of its secret is kept.
public struct AccessToken: Sendable, Hashable {
    public var name: String
    public var role: Role
    /// Projects that it is bound to; nil reaches the whole fleet.
    public var projects: [String]?
    public var secretHash: String
    public var expiresAt: Timestamp?

    public init(
        name: String, role: Role, projects: [String]? = nil, secretHash: String, expiresAt: Timestamp?
    ) {
        self.name = name
        self.role = role
        self.projects = projects
        self.secretHash = secretHash
        self.expiresAt = expiresAt
    }
}

/// Which audit rows are asked for; nil matches all.
public struct AuditQuery: Sendable, Hashable {
    public var actor: String?
    public var verb: String?
    public var kind: Kind?
    public var project: String?
    public var name: String?
    public var refused: Bool?
    /// Rows older than this one only.
    public var before: Int64?
    public var limit: Int

    public init(
        actor: String? = nil, verb: String? = nil, kind: Kind? = nil, project: String? = nil,
        name: String? = nil, refused: Bool? = nil, before: Int64? = nil, limit: Int = 100
    ) {
        self.actor = actor
        self.verb = verb
        self.kind = kind
        self.project = project
        self.name = name
        self.refused = refused
        self.before = before
        self.limit = limit
    }
}

/// Use of one resource by one project, beside its limit.
public struct QuotaRecord: Sendable, Hashable {
    /// What quotas bound.
    public enum Resource: String, Sendable, Hashable, CaseIterable { case milliCPU, memoryMiB, devices }

    public var project: String
    public var resource: Resource
    public var used: Int
    /// nil is unbounded.
    public var limit: Int?

    public init(project: String, resource: Resource, used: Int, limit: Int?) {
        self.project = project
        self.resource = resource
        self.used = used
        self.limit = limit
    }
}
