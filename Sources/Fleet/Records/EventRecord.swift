/// One entry of the event log: a change that a user can see, with its reason.
public struct EventRecord: Sendable, Hashable, Codable {
    public var id: Int64
    public var at: Timestamp
    /// What it is about.
    public var kind: Kind
    public var project: String?
    public var name: String
    public var uid: ID<Document>
    public var reason: Reason
    public var message: String
    /// Who says so: `vms`, `hosts`, `agent/…`, `user/…`.
    public var source: String

    public init(
        id: Int64, at: Timestamp, kind: Kind, project: String?, name: String, uid: ID<Document>,
        reason: Reason,
        message: String, source: String
    ) {
        self.id = id
        self.at = at
        self.kind = kind
        self.project = project
        self.name = name
        self.uid = uid
        self.reason = reason
        self.message = message
        self.source = source
    }
}
