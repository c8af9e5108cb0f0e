public import AgentProtocol
public import Fleet

/// What hosts and VMs used, and how far the guards of hosts went.
public protocol UsageStore: Sendable {
    /// Takes what a session tells. Bins of another day than yesterday, today or tomorrow are dropped; one
    /// that comes again counts once when hours are made of bins.
    ///
    /// A host whose guard admits no VMs is frozen from here on, one whose guard admits them again is not; its
    /// generation moves with either, so that no plan of before is committed.
    /// - Returns: names of hosts that the session does not carry, sorted; nothing of them is taken.
    func takeUsage(_ hosts: [HostUsage], session: ID<AgentSession>) async throws -> [String]

    /// Freezes hosts that told their use before and have been silent for so long, until they tell it again.
    ///
    /// - Returns: hosts that were frozen now, sorted.
    func freezeSilentHosts(after silence: Duration) async throws -> [ID<Document>]

    /// Last words of hosts that ever told their use, sorted by host.
    func hostGuards() async throws -> [HostGuardRecord]

    /// Makes hours of the bins of hours that ended a while ago on the fleet clock: of VMs that had an
    /// allocation on the host that told of them, and of the hosts, pools and cells that they are in now.
    /// Every controller may call it at any time.
    ///
    /// - Parameter settle: how long ago, on the fleet clock: agents tell of a bin when it has ended.
    /// - Returns: hours of VMs that were made.
    func rollUpUsage(settle: Duration) async throws -> Int

    /// Fleet time up to which hours are made; nil before the first.
    func usageRolledTo() async throws -> Timestamp?

    /// Forgets whole days of bins, of hours of VMs and of hours of scopes; and what guards asked for before
    /// yesterday.
    func keepUsage(bins: Duration, hours: Duration, scopes: Duration) async throws

    /// Bins of a VM that start at a time or later, ascending, each once.
    func usageBins(vm: ID<Document>, since: Timestamp) async throws -> [UsageBin]

    /// Hours of VMs that start at a time or later, by VM and ascending.
    func usageHours(vms: [ID<Document>], since: Timestamp) async throws -> [UsageHour]
}

extension UsageStore {
    /// Ten minutes after their end.
    public func rollUpUsage() async throws -> Int {
        try await rollUpUsage(settle: .seconds(UsageLimit.settleSeconds))
    }

    /// Two months of scopes are what ratios are learnt from.
    public func keepUsage(bins: Duration, hours: Duration) async throws {
        try await keepUsage(bins: bins, hours: hours, scopes: .seconds(60 * UsageLimit.secondsPerDay))
    }
}

/// The guard of a host, as last told.
public struct HostGuardRecord: Sendable, Hashable {
    public var host: ID<Document>
    public var at: Timestamp
    public var rung: GuardLevel
    /// Silent for too long.
    public var isStale: Bool
    /// When it last told of heat.
    public var actedAt: Timestamp?

    public init(
        host: ID<Document>, at: Timestamp, rung: GuardLevel, isStale: Bool, actedAt: Timestamp? = nil
    ) {
        self.host = host
        self.at = at
        self.rung = rung
        self.isStale = isStale
        self.actedAt = actedAt
    }
}

/// An hour of a VM.
public struct UsageHour: Sendable, Hashable {
    public var vm: ID<Document>
    /// Seconds since 1970, a multiple of 3600.
    public var start: Int
    /// The most that the VM was sold.
    public var soldMilliCPU: Int
    /// Mean of the bins' means, 90th percentile of their 90th percentiles (the value at that rank), and the
    /// greatest sample.
    public var meanMilliCPU: Int
    public var p90MilliCPU: Int
    public var maxMilliCPU: Int
    public var bins: Int

    public init(
        vm: ID<Document>, start: Int, soldMilliCPU: Int, meanMilliCPU: Int, p90MilliCPU: Int,
        maxMilliCPU: Int, bins: Int
    ) {
        self.vm = vm
        self.start = start
        self.soldMilliCPU = soldMilliCPU
        self.meanMilliCPU = meanMilliCPU
        self.p90MilliCPU = p90MilliCPU
        self.maxMilliCPU = maxMilliCPU
        self.bins = bins
    }
}
