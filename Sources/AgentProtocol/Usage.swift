public import Fleet

/// What hosts and their VMs use, and what the guards on the hosts did.
///
/// `POST /v1/agent/usage`, every `intervalSeconds` of the answer before. A lost one is sent again with the
/// next: bins may come twice, and count once.
public struct UsageRequest: Sendable, Codable, Equatable {
    public var hosts: [HostUsage]

    public init(hosts: [HostUsage]) { self.hosts = hosts }

    /// What no agent would say; nil when there is nothing of it.
    public var defect: String? {
        for host in hosts {
            guard host.notes.allSatisfy({ $0.message.utf8.count <= 2000 && !$0.message.contains("\0") })
            else { return "a note of \(host.name) is longer than 2000 bytes or holds a zero" }
            guard host.bins.allSatisfy(\.isPossible) else {
                return "a bin of \(host.name) is before 1970, or of less than nothing or more than 2³¹ mCPU"
            }
        }
        return nil
    }
}

/// One host of a session, over the interval that ends with the report.
public struct HostUsage: Sendable, Codable, Equatable {
    /// Name of the host.
    public var name: String
    public var rung: GuardLevel
    public var signals: UsageSignals
    /// What the guard did since the last report that was answered, oldest first.
    public var notes: [GuardNote]
    /// Bins that ended since then.
    public var bins: [UsageBin]

    public init(
        name: String, rung: GuardLevel, signals: UsageSignals, notes: [GuardNote] = [],
        bins: [UsageBin] = []
    ) {
        self.name = name
        self.rung = rung
        self.signals = signals
        self.notes = notes
        self.bins = bins
    }
}

/// How far the guard of a host has gone.
public enum GuardLevel: String, Sendable, Codable, CaseIterable {
    case observe, freeze, throttle, migrate, evict, page

    /// Whether the host takes VMs.
    public var admits: Bool { self == .observe }
}

/// Shares from 0 to 1 of cores or of time.
public struct UsageSignals: Sendable, Codable, Equatable {
    /// Of the host's cores, in use.
    public var use: Double
    /// Of the time, some task waited for a core.
    public var pressure: Double
    /// Of the time, the machine below kept a core that was wanted.
    public var steal: Double
    /// Of the time, runnable vCPUs waited.
    public var runDelay: Double
    /// The same of vCPUs of the guaranteed class.
    public var guaranteedRunDelay: Double

    public init(
        use: Double, pressure: Double = 0, steal: Double = 0, runDelay: Double = 0,
        guaranteedRunDelay: Double = 0
    ) {
        self.use = use
        self.pressure = pressure
        self.steal = steal
        self.runDelay = runDelay
        self.guaranteedRunDelay = guaranteedRunDelay
    }
}

/// One act of a guard.
public struct GuardNote: Sendable, Codable, Equatable {
    /// What made the guard act.
    public enum Cause: String, Sendable, Codable, CaseIterable {
        case hot, calm, stale, regulation
    }

    public var at: Timestamp
    public var before: GuardLevel
    public var after: GuardLevel
    public var cause: Cause
    /// What was done and why, for people.
    public var message: String

    public init(at: Timestamp, before: GuardLevel, after: GuardLevel, cause: Cause, message: String) {
        self.at = at
        self.before = before
        self.after = after
        self.cause = cause
        self.message = message
    }
}

/// What one VM used within a bin of time.
public struct UsageBin: Sendable, Codable, Hashable {
    public var vm: ID<Document>
    /// Seconds since 1970; a multiple of the bin's length.
    public var start: Int
    /// What the VM was sold.
    public var soldMilliCPU: Int
    /// Of the samples within the bin; means of five minutes hide the bursts that hurt.
    public var meanMilliCPU: Int
    public var p90MilliCPU: Int
    public var maxMilliCPU: Int

    public init(
        vm: ID<Document>, start: Int, soldMilliCPU: Int, meanMilliCPU: Int, p90MilliCPU: Int,
        maxMilliCPU: Int
    ) {
        self.vm = vm
        self.start = start
        self.soldMilliCPU = soldMilliCPU
        self.meanMilliCPU = meanMilliCPU
        self.p90MilliCPU = p90MilliCPU
        self.maxMilliCPU = maxMilliCPU
    }

    fileprivate var isPossible: Bool {
        (0...Int(UInt32.max)).contains(start)
            && [soldMilliCPU, meanMilliCPU, p90MilliCPU, maxMilliCPU].allSatisfy {
                (0...Int(Int32.max)).contains($0)
            }
    }
}

/// When to tell of use again, and the hosts whose samples were not taken.
public struct UsageResponse: Sendable, Codable, Equatable {
    /// Until the next report.
    public var intervalSeconds: Double
    /// Hosts that the session does not carry; nothing of them was taken.
    public var refused: [String]

    public init(intervalSeconds: Double, refused: [String] = []) {
        self.intervalSeconds = intervalSeconds
        self.refused = refused
    }
}

/// How often agents tell use, and when silence counts.
public struct UsageTerms: Sendable, Hashable {
    public var intervalSeconds: Double
    /// Without a report for so long a host that told its use takes no more VMs: three intervals.
    public var silentAfterSeconds: Double { 3 * intervalSeconds }

    /// Host leases last six times as long: a host that is hot is seen before one that is gone.
    public static let standard = UsageTerms(intervalSeconds: 5)

    public init(intervalSeconds: Double) { self.intervalSeconds = intervalSeconds }
}

/// Where an agent tells use.
public protocol UsageSink: Sendable {
    /// - Throws: `ControlPlaneError`.
    func usage(_ request: UsageRequest) async throws -> UsageResponse
}
