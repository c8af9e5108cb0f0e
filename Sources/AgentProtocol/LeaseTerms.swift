/// The host lease, as the controllers set it: all times in seconds of the lease clock, counted from a
/// renewal.
///
/// The order that makes fencing safe is `renewEvery < stopAfter < lease < fencedAfter`: a shim stops its
/// `stop` workloads counted from when the agent *sent* its last acknowledged renewal, the controllers fence
/// counted from when that renewal *committed*, which is later.
public struct LeaseTerms: Sendable, Codable, Equatable {
    public var renewEverySeconds: Double
    public var leaseSeconds: Double
    /// When a shim stops workloads with `onPartition: stop`.
    public var stopAfterSeconds: Double
    /// When the controllers may count such workloads as stopped.
    public var fencedAfterSeconds: Double

    /// The defaults of the product.
    public static let standard = LeaseTerms(
        renewEverySeconds: 5, leaseSeconds: 30, stopAfterSeconds: 25, fencedAfterSeconds: 40)

    public init(
        renewEverySeconds: Double, leaseSeconds: Double, stopAfterSeconds: Double, fencedAfterSeconds: Double
    ) {
        self.renewEverySeconds = renewEverySeconds
        self.leaseSeconds = leaseSeconds
        self.stopAfterSeconds = stopAfterSeconds
        self.fencedAfterSeconds = fencedAfterSeconds
    }

    /// The same ratios on a lease of another length; tests shorten it.
    public static func scaled(leaseSeconds: Double) -> LeaseTerms {
        let factor = leaseSeconds / standard.leaseSeconds
        return LeaseTerms(
            renewEverySeconds: standard.renewEverySeconds * factor, leaseSeconds: leaseSeconds,
            stopAfterSeconds: standard.stopAfterSeconds * factor,
            fencedAfterSeconds: standard.fencedAfterSeconds * factor)
    }

    /// Longest silence of all controllers that host leases are judged through, seconds: an agent that renewed
    /// just before a shorter one can still renew after it. A longer one extends every lease.
    public var outageSeconds: Double { min(10, leaseSeconds / 3) }

    /// What is wrong with the order or the ratios; nil when fencing is safe.
    public var defect: String? {
        if renewEverySeconds <= 0 { return "renewEverySeconds must be above 0" }
        if renewEverySeconds * 4 > stopAfterSeconds {
            return "stopAfterSeconds must leave room for 4 renewals of \(renewEverySeconds) s"
        }
        if stopAfterSeconds >= leaseSeconds { return "stopAfterSeconds must be below leaseSeconds" }
        if leaseSeconds * 1.25 > fencedAfterSeconds {
            return "fencedAfterSeconds must be at least 1.25 × leaseSeconds"
        }
        return nil
    }
}

/// Bounds that the controllers hold a session to.
public struct SessionLimits: Sendable, Codable, Equatable {
    /// Hosts of one session.
    public var hosts: Int
    /// Part reports of one batch.
    public var partsPerReport: Int
    /// Longest time a report waits in the agent for others, seconds.
    public var batchAgeSeconds: Double
    /// Longest wait of one poll, seconds.
    public var pollSeconds: Double

    /// 10,000 hosts keep a full resynchronisation near 10 MB; a batch of 4,096 parts is one short
    /// transaction.
    public static let standard = SessionLimits(
        hosts: 10_000, partsPerReport: 4096, batchAgeSeconds: 1, pollSeconds: 20)

    public init(hosts: Int, partsPerReport: Int, batchAgeSeconds: Double, pollSeconds: Double) {
        self.hosts = hosts
        self.partsPerReport = partsPerReport
        self.batchAgeSeconds = batchAgeSeconds
        self.pollSeconds = pollSeconds
    }
}
