/// One entry of the audit log: who changed what, or was refused to.
public struct AuditRecord: Sendable, Hashable, Codable {
    public var id: Int64
    public var at: Timestamp
    /// `user/NAME`, `agent/SESSION`, `controller/NAME`.
    public var actor: String
    public var requestID: String?
    /// Such as `create`, `drain`; of a refused attempt the method.
    public var verb: String
    /// Nil of a refused attempt, whose `name` is the route.
    public var kind: Kind?
    public var project: String?
    public var name: String
    /// Nothing was changed.
    public var refused: Bool

    private enum CodingKeys: String, CodingKey {
        case id, at, actor, verb, kind, project, name, refused
        case requestID = "requestId"
    }

    public init(
        id: Int64, at: Timestamp, actor: String, requestID: String?, verb: String, kind: Kind?,
        project: String?, name: String, refused: Bool = false
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.requestID = requestID
        self.verb = verb
        self.kind = kind
        self.project = project
        self.name = name
        self.refused = refused
    }
}
