/// A stored document: metadata in columns, spec and status as JSON text that only its kind understands.
public struct Resource: Sendable, Hashable {
    public var kind: Kind
    public var metadata: Metadata
    /// JSON object.
    public var spec: String
    /// JSON object; written by controllers and agents only.
    public var status: String

    public init(kind: Kind, metadata: Metadata, spec: String, status: String = "{}") {
        self.kind = kind
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}
