/// How far a replica is that is to stop: no request is sent to it, and those under way end first.
public struct ReplicaLeave: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// Routes still lead to it: there is no other one yet.
        case serving
        /// Routers may send to it, or requests are under way on it.
        case draining
        /// No router has a request on it, or the deadline has passed: it may stop.
        case drained
        /// It was told to stop.
        case stopping
    }

    /// Why it is to stop.
    public enum Cause: String, Sendable, Hashable, Codable, CaseIterable {
        /// The plan has no such replica any more.
        case planned
        /// It is started anew with another command.
        case renewed
        /// Its host is drained, or will be taken away.
        case host
    }

    /// Such as `g1`.
    public var name: String
    public var state: State
    public var cause: Cause
    public var since: Timestamp
    /// When it stops whatever is under way; nil while nothing presses.
    public var deadline: Timestamp?
    /// Requests on it, of all routers that report; nil while one of them follows routes that lead to it.
    public var underWay: Int?

    public init(
        name: String, state: State, cause: Cause, since: Timestamp, deadline: Timestamp? = nil,
        underWay: Int? = nil
    ) {
        self.name = name
        self.state = state
        self.cause = cause
        self.since = since
        self.deadline = deadline
        self.underWay = underWay
    }
}
