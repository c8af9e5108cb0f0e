/// What an agent counts about itself since its start.
public struct AgentMetrics: Sendable, Equatable {
    public var hellos = 0
    public var assignmentsAccepted = 0
    /// Equal generation and hash, as every full answer brings.
    public var assignmentsRepeated = 0
    public var refusedOlder = 0
    /// Equal generation with another hash, or parts that do not match their hash.
    public var refusedHash = 0
    /// A host that the session does not carry, or an epoch that was not greeted.
    public var refusedOther = 0
    /// Parts that run now, stopping ones included.
    public var partsRunning = 0
    public var startsIssued = 0
    public var stopsIssued = 0
    public var startsFailed = 0
    public var reportsSent = 0
    public var reportsAcknowledged = 0
    /// Parts that the controllers refused to take a report for.
    public var partsRefused = 0
    /// Calls that failed and were or will be tried again.
    public var retries = 0
    public var ledgerCompactions = 0
    /// Size of the ledger, bytes.
    public var ledgerBytes = 0

    public init() {}
}
