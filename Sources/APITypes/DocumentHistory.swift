public import Fleet

/// One of `GET …/history`: a spec that a document had.
public struct WireVersion: Sendable, Hashable, Codable {
    /// `metadata.generation` that the document had with it.
    public var version: Int
    public var at: Timestamp
    /// Such as `user/ada`.
    public var actor: String
    public var requestID: String?
    /// Such as `create`, `replace`, `rollback`.
    public var verb: String
    public var spec: JSONValue

    private enum CodingKeys: String, CodingKey {
        case version, at, actor, verb, spec
        case requestID = "requestId"
    }

    public init(
        version: Int, at: Timestamp, actor: String, requestID: String?, verb: String, spec: JSONValue
    ) {
        self.version = version
        self.at = at
        self.actor = actor
        self.requestID = requestID
        self.verb = verb
        self.spec = spec
    }
}

/// Body of `POST …/rollback`: the document gets the spec of that version again, as a new version.
public struct RollbackRequest: Sendable, Hashable, Codable {
    public var version: Int

    public init(version: Int) { self.version = version }
}
