/// What every document carries beside its spec and status.
public struct Metadata: Sendable, Hashable, Codable {
    public var name: String
    public var uid: ID<Document>
    /// Project of a tenant kind; nil for the others.
    public var project: String?
    public var labels: [String: String]
    public var annotations: [String: String]
    /// Raised by every change of `spec`.
    public var generation: Int
    /// Raised by every change of labels, annotations, finalizers or the deletion mark; part of the ETag.
    public var revision: Int
    /// Opaque; equal for equal versions, never ordered.
    public var resourceVersion: String
    public var createdAt: Timestamp
    public var deletionTimestamp: Timestamp?
    /// Who must finish before the document goes away.
    public var finalizers: [String]

    public init(
        name: String, uid: ID<Document>, project: String? = nil, labels: [String: String] = [:],
        annotations: [String: String] = [:], generation: Int = 1, revision: Int = 1,
        resourceVersion: String = "",
        createdAt: Timestamp, deletionTimestamp: Timestamp? = nil, finalizers: [String] = []
    ) {
        self.name = name
        self.uid = uid
        self.project = project
        self.labels = labels
        self.annotations = annotations
        self.generation = generation
        self.revision = revision
        self.resourceVersion = resourceVersion
        self.createdAt = createdAt
        self.deletionTimestamp = deletionTimestamp
        self.finalizers = finalizers
    }

    /// Value of the `ETag` header without quotes: it moves with spec and metadata, not with status.
    public var entityTag: String { "\(uid).\(generation).\(revision)" }
}

/// Marks ids of documents of any kind.
public enum Document {}

/// `metadata.finalizers` values that the product sets.
public enum Finalizer {
    /// Held until every allocation of the workload is released.
    public static let allocations = "basalt/allocations"
    /// Held until every member of the group is gone.
    public static let members = "basalt/members"
}
