/// A slow verb under way.
public struct OperationRecord: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case running, succeeded, failed, cancelled
    }

    public var id: ID<OperationRecord>
    /// Such as `host.drain`.
    public var verb: String
    public var target: String
    public var state: State
    /// Parts done and in all; nil while unknown.
    public var done: Int?
    public var total: Int?
    public var message: String
    public var createdAt: Timestamp
    public var updatedAt: Timestamp

    public init(
        id: ID<OperationRecord>, verb: String, target: String, state: State, done: Int? = nil,
        total: Int? = nil,
        message: String, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.verb = verb
        self.target = target
        self.state = state
        self.done = done
        self.total = total
        self.message = message
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
