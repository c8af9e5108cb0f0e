public import Fleet

/// Events, operations, tokens and the audit log.
public protocol RecordStore: Sendable {
    func appendEvents(_ events: [EventDraft]) async throws

    /// Events after an id that match, oldest first, up to `limit`; without `after` the newest ones.
    func events(_ query: EventQuery) async throws -> [EventRecord]

    /// First steps of the VMs created since a time, newest creations first, at most `limit`.
    func vmLives(since: Timestamp, limit: Int) async throws -> [VMLife]

    func putOperation(_ operation: OperationRecord, context: WriteContext) async throws
    func operation(_ id: ID<OperationRecord>) async throws -> OperationRecord?
    /// Newest first.
    func operations(limit: Int) async throws -> [OperationRecord]

    func createToken(_ token: AccessToken, context: WriteContext) async throws
    /// The token with this hash that has not expired.
    func token(secretHash: String) async throws -> AccessToken?

    /// Audit rows, newest first.
    func audit(limit: Int) async throws -> [AuditRecord]

    /// Forgets idempotency keys older than a day and makes room for the events of the coming days.
    func keepHouse() async throws

    /// Use and limit of each project and resource, sorted.
    func quotas() async throws -> [QuotaRecord]
}

public struct EventQuery: Sendable, Hashable {
    public var kind: Kind?
    public var project: String?
    public var name: String?
    public var reason: Reason?
    public var after: Int64?
    public var limit: Int

    public init(
        kind: Kind? = nil, project: String? = nil, name: String? = nil, reason: Reason? = nil,
        after: Int64? = nil,
        limit: Int = 100
    ) {
        self.kind = kind
        self.project = project
        self.name = name
        self.reason = reason
        self.after = after
        self.limit = limit
    }
}

public struct AccessToken: Sendable, Hashable {
    public var name: String
    public var role: Role
    public var secretHash: String
    public var expiresAt: Timestamp?

    public init(name: String, role: Role, secretHash: String, expiresAt: Timestamp?) {
        self.name = name
        self.role = role
        self.secretHash = secretHash
        self.expiresAt = expiresAt
    }
}

public struct AuditRecord: Sendable, Hashable {
    public var id: Int64
    public var at: Timestamp
    public var actor: String
    public var requestID: String?
    public var verb: String
    public var kind: Kind?
    public var project: String?
    public var name: String

    public init(
        id: Int64, at: Timestamp, actor: String, requestID: String?, verb: String, kind: Kind?,
        project: String?,
        name: String
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.requestID = requestID
        self.verb = verb
        self.kind = kind
        self.project = project
        self.name = name
    }
}

public struct QuotaRecord: Sendable, Hashable {
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
