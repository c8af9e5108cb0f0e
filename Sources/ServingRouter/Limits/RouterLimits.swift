public import NIOCore

/// What a router holds at most, and how long it waits.
public struct RouterLimits: Sendable, Equatable {
    /// Connections of clients at once; further ones are told to come back and closed.
    public var connections = 4096
    /// Requests that are with replicas at once; further ones are answered with 429.
    public var requests = 2048
    /// Bytes of a request's body. It is held until the answer begins, for it may have to be sent again.
    public var bodyBytes = 8 << 20
    /// From the first line of a request to its last byte.
    public var receive = TimeAmount.seconds(30)
    /// Between two requests on a connection.
    public var idle = TimeAmount.seconds(75)
    /// Until a replica takes a connection.
    public var connect = TimeAmount.seconds(2)
    /// Until a replica's answer begins, and between two pieces of it.
    public var silence = TimeAmount.seconds(120)
    /// Connections to one replica that are kept open for later, per thread.
    public var pooled = 128
    /// Other replicas that are tried when one is dead.
    public var retries = 1
    /// What requests under way get when the router is told to stop.
    public var drain = TimeAmount.seconds(10)

    /// Between two looks at whether replicas answer.
    public var look = Duration.seconds(2)
    /// Between two reports of what was seen.
    public var report = Duration.seconds(10)

    public init() {}
}
