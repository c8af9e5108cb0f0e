public import Fleet

/// Documents of every kind, with optimistic concurrency and an audit row per mutation.
public protocol DocumentStore: Sendable {
    /// Creates all drafts or none.
    ///
    /// A `.host` draft also makes the host's ledger row, a `.project` draft its quota rows.
    /// - Throws: `alreadyExists`, `referenceMissing`.
    func create(_ drafts: [DocumentDraft], context: WriteContext) async throws -> [Resource]

    /// Creates one document at most once per key and actor.
    ///
    /// The same key with the same request hash answers the version of the first call, `replayed` true.
    /// - Throws: as `create`, and `idempotencyKeyReused`.
    func create(_ draft: DocumentDraft, key: IdempotencyKey, context: WriteContext) async throws
        -> (resource: Resource, replayed: Bool)

    func document(_ kind: Kind, project: String?, name: String) async throws -> Resource?

    /// Documents with these uids, sorted by uid; missing ones are left out.
    func documents(_ kind: Kind, uids: [ID<Document>]) async throws -> [Resource]

    /// One page in order of (project, name), with the feed position from which a watch misses nothing.
    func list(_ query: ListQuery) async throws -> DocumentPage

    /// Reads, changes and writes one document under its row lock.
    ///
    /// `change` edits spec, labels, annotations; what moves generation and revision is found by comparison.
    /// An unchanged document writes nothing. `change` may run more than once.
    /// - Throws: `notFound`, `preconditionFailed`, `beingDeleted`, `referenceMissing`, what `change` throws.
    func update(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext,
        change: @Sendable (inout Resource) throws -> Void
    ) async throws -> Resource

    /// Marks a document with finalizers as being deleted, or removes one without.
    ///
    /// - Returns: the document as it was last; `removed` tells whether it is gone.
    /// - Throws: `notFound`, `preconditionFailed`, `inUse` when other documents or allocations refer to it.
    func delete(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext
    ) async throws -> (resource: Resource, removed: Bool)
}

/// A document to be created.
public struct DocumentDraft: Sendable, Hashable {
    public var uid: ID<Document>
    public var kind: Kind
    public var project: String?
    public var name: String
    public var labels: [String: String]
    public var annotations: [String: String]
    public var finalizers: [String]
    /// JSON object.
    public var spec: String
    /// JSON object.
    public var status: String

    public init(
        uid: ID<Document>, kind: Kind, project: String? = nil, name: String, labels: [String: String] = [:],
        annotations: [String: String] = [:], finalizers: [String] = [], spec: String, status: String = "{}"
    ) {
        self.uid = uid
        self.kind = kind
        self.project = project
        self.name = name
        self.labels = labels
        self.annotations = annotations
        self.finalizers = finalizers
        self.spec = spec
        self.status = status
    }
}

/// Makes one POST happen at most once.
public struct IdempotencyKey: Sendable, Hashable {
    public var key: String
    /// Hash of method, path and body.
    public var requestHash: String

    public init(key: String, requestHash: String) {
        self.key = key
        self.requestHash = requestHash
    }
}

/// What must hold of a document for a write to happen.
public enum Precondition: Sendable, Hashable {
    case none
    case entityTag(String)
}

/// Which documents of a kind are listed, and from where on.
public struct ListQuery: Sendable, Hashable {
    public var kind: Kind
    /// nil lists every project.
    public var project: String?
    /// Labels that must be present with these values.
    public var labels: [String: String]
    /// Exact name, when asked for by a field selector.
    public var name: String?
    /// Cell named in the spec or status; hosts, pools and VMs only.
    public var cell: String?
    /// Strings that must stand at these paths, such as `status.host`; an absent field is equal to none.
    public var fields: [String: String] = [:]
    /// The page begins after this (project, name).
    public var after: Position?
    /// Documents of these projects, and these projects themselves, only; nil is all.
    public var projects: [String]?
    public var limit: Int

    /// The last document of a page: lists are ordered by project and name.
    public struct Position: Sendable, Hashable {
        public var project: String
        public var name: String

        public init(project: String, name: String) {
            self.project = project
            self.name = name
        }
    }

    public init(
        kind: Kind, project: String? = nil, labels: [String: String] = [:], name: String? = nil,
        cell: String? = nil, after: Position? = nil, projects: [String]? = nil, limit: Int = 100
    ) {
        self.kind = kind
        self.project = project
        self.labels = labels
        self.name = name
        self.cell = cell
        self.after = after
        self.projects = projects
        self.limit = limit
    }
}

/// A part of a list, with the version that a watch goes on from.
public struct DocumentPage: Sendable, Hashable {
    public var documents: [Resource]
    /// Whether more documents follow.
    public var more: Bool
    public var position: FeedCursor

    public init(documents: [Resource], more: Bool, position: FeedCursor) {
        self.documents = documents
        self.more = more
        self.position = position
    }
}
