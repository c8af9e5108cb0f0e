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
            guard (host.hostBins ?? []).allSatisfy(\.isPossible) else {
                return "a bin of \(host.name) is before 1970, or has fewer samples than hot ones"
            }
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
    /// Bins of the host itself; nil from agents that tell none.
    public var hostBins: [HostBin]?

    public init(
        name: String, rung: GuardLevel, signals: UsageSignals, notes: [GuardNote] = [],
        bins: [UsageBin] = [], hostBins: [HostBin]? = nil
    ) {
        self.name = name
        self.rung = rung
        self.signals = signals
        self.notes = notes
        self.bins = bins
        self.hostBins = hostBins
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
    /// What the controllers should do, where that is theirs.
    public var ask: GuardAsk?

    public init(
        at: Timestamp, before: GuardLevel, after: GuardLevel, cause: Cause, message: String,
        ask: GuardAsk? = nil
    ) {
        self.at = at
        self.before = before
        self.after = after
        self.cause = cause
        self.message = message
        self.ask = ask
    }
}

/// What a guard asks the controllers for.
public struct GuardAsk: Sendable, Codable, Hashable {
    public enum Verb: String, Sendable, Codable, CaseIterable {
        /// Moves to another host.
        case migrate
        /// Stops here; it may be started elsewhere.
        case evict
    }

    public var verb: Verb
    /// On the guard's host.
    public var allocation: ID<Allocation>

    public init(_ verb: Verb, _ allocation: ID<Allocation>) {
        self.verb = verb
        self.allocation = allocation
    }
}

/// What a host lived through within a bin of time.
public struct HostBin: Sendable, Codable, Hashable {
    /// Seconds since 1970 on the fleet clock; a multiple of the bin's length.
    public var start: Int
    public var samples: Int
    /// Those in which its tasks had to wait for cores.
    public var hotSamples: Int

    public init(start: Int, samples: Int, hotSamples: Int) {
        self.start = start
        self.samples = samples
        self.hotSamples = hotSamples
    }

    /// When half of its samples were.
    public var isHot: Bool { 2 * hotSamples >= samples }

    fileprivate var isPossible: Bool {
        (0...Int(UInt32.max)).contains(start) && (1...Int(Int32.max)).contains(samples)
            && (0...samples).contains(hotSamples)
    }
}

/// What one VM used within a bin of time.
public struct UsageBin: Sendable, Codable, Hashable {
    public var vm: ID<Document>
    /// Seconds since 1970 on the fleet clock; a multiple of the bin's length.
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
    /// How the clock that bins go by follows from the agent's; the same clock when nil.
    public var fleet: FleetTerms?

    public init(intervalSeconds: Double, refused: [String] = [], fleet: FleetTerms? = nil) {
        self.intervalSeconds = intervalSeconds
        self.refused = refused
        self.fleet = fleet
    }
}

/// The fleet clock: what of the load goes by it may run faster than the leases do.
public struct FleetTerms: Sendable, Codable, Hashable {
    /// A moment of the lease clock, and the same on the fleet clock.
    public var realOrigin: Timestamp
    public var fleetOrigin: Timestamp
    /// Seconds of the fleet clock per second.
    public var rate: Double

    public init(realOrigin: Timestamp, fleetOrigin: Timestamp, rate: Double) {
        self.realOrigin = realOrigin
        self.fleetOrigin = fleetOrigin
        self.rate = rate
    }

    /// The lease clock itself.
    public static let real = FleetTerms(
        realOrigin: Timestamp(microseconds: 0), fleetOrigin: Timestamp(microseconds: 0), rate: 1)

    /// Whole seconds since 1970, at least 0.
    public func seconds(at real: Timestamp) -> Int {
        let since = real.since(realOrigin) / .seconds(1)
        let fleet = fleetOrigin.seconds + (since < 0 ? since : since * rate)
        return fleet.isFinite ? Int(min(max(fleet, 0), Double(UInt32.max))) : 0
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
