/// Sizes and waits of a pool.
public struct PoolConfiguration: Sendable, Hashable {
    /// Connections kept open even when nobody uses them.
    public var minimumConnections: Int
    /// Connections at most.
    public var maximumConnections: Int
    /// Callers that may wait for a connection; the next one gets `pool.exhausted` at once.
    public var queueLimit: Int
    /// Longest wait for a connection; then `pool.timeout`.
    public var acquireTimeout: Duration
    /// Connections above the minimum that were idle for so long are closed.
    public var idleTimeout: Duration
    /// How long a session keeps query plans at first and at most; each time twice as long. A plan made while
    /// a table was small reads it whole long after it has grown, and the server makes a new one only when it
    /// has analysed the table, a minute later or never.
    public var planLife: ClosedRange<Duration>
    /// Waits between attempts to connect.
    public var reconnect: Backoff
    /// Waits before a transaction is run again.
    public var retry: Backoff

    public init(
        minimumConnections: Int = 1,
        maximumConnections: Int = 8,
        queueLimit: Int = 256,
        acquireTimeout: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(300),
        planLife: ClosedRange<Duration> = .seconds(1) ... .seconds(600),
        reconnect: Backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5)),
        retry: Backoff = Backoff(initial: .milliseconds(2), maximum: .milliseconds(200))
    ) {
        self.minimumConnections = minimumConnections
        self.maximumConnections = maximumConnections
        self.queueLimit = queueLimit
        self.acquireTimeout = acquireTimeout
        self.idleTimeout = idleTimeout
        self.planLife = planLife
        self.reconnect = reconnect
        self.retry = retry
    }
}
