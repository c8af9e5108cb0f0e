/// A spec that a document had, of the kinds that keep their history.
public struct DocumentVersion: Sendable, Hashable {
    /// `metadata.generation` that the document had with it.
    public var version: Int
    /// When it was written.
    public var at: Timestamp
    /// Who wrote it: `user/NAME`, `controller/NAME`.
    public var actor: String
    public var requestID: String?
    /// Such as `create`, `replace`, `rollback`.
    public var verb: String
    /// JSON object.
    public var spec: String

    public init(
        version: Int, at: Timestamp, actor: String, requestID: String?, verb: String, spec: String
    ) {
        self.version = version
        self.at = at
        self.actor = actor
        self.requestID = requestID
        self.verb = verb
        self.spec = spec
    }
}
