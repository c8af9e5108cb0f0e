/// How a guard of hosts acts.
public struct GuardSettings: Sendable, Hashable, Codable {
    public var thresholds: GuardThresholds
    /// Between two readings.
    public var intervalSeconds: Int
    /// Readings that may fail to come before nothing is known of the host.
    public var staleIntervals: Int
    /// Between two actions on one host; longer where an action takes longer to show.
    public var coolDownSeconds: Int
    /// Of calm before a rung is left.
    public var holdSeconds: Int
    /// From the request of a migration to its effect.
    public var migrationSeconds: Int
    /// In which a VM is not asked to move again.
    public var vmCoolDownSeconds: Int
    /// Migrations asked for before VMs are stopped.
    public var migrations: Int
    /// Share of the cores that spot VMs are given what others leave of.
    public var throttledUse: Double
    /// Share of its own cores that a throttled VM keeps.
    public var leastQuota: Double
    /// Share of its own cores by which a quota rises per minute.
    public var quotaStepPerMinute: Double
    /// Share of its own cores by which a quota has to change for it to be set.
    public var leastQuotaChange: Double
    /// Whether anything holds VMs back when the guard asks for it; else it goes on to move them.
    public var canThrottle: Bool

    public init(
        thresholds: GuardThresholds = .init(), intervalSeconds: Int = 5, staleIntervals: Int = 3,
        coolDownSeconds: Int = 15, holdSeconds: Int = 300, migrationSeconds: Int = 300,
        vmCoolDownSeconds: Int = 600, migrations: Int = 3, throttledUse: Double = 0.8,
        leastQuota: Double = 0.1, quotaStepPerMinute: Double = 0.1, leastQuotaChange: Double = 0.01,
        canThrottle: Bool = true
    ) {
        self.thresholds = thresholds
        self.intervalSeconds = intervalSeconds
        self.staleIntervals = staleIntervals
        self.coolDownSeconds = coolDownSeconds
        self.holdSeconds = holdSeconds
        self.migrationSeconds = migrationSeconds
        self.vmCoolDownSeconds = vmCoolDownSeconds
        self.migrations = migrations
        self.throttledUse = throttledUse
        self.leastQuota = leastQuota
        self.quotaStepPerMinute = quotaStepPerMinute
        self.leastQuotaChange = leastQuotaChange
        self.canThrottle = canThrottle
    }

    /// A guard that finds nothing hot: use is measured and no more.
    public static let measuring = GuardSettings(thresholds: GuardThresholds(warm: [], hot: []))

    /// Age of a reading from which on nothing is known of the host.
    public var staleSeconds: Int { intervalSeconds * staleIntervals }

    func ladder() -> GuardLadder {
        let throttle = GuardRung.throttle.rawValue
        func rung(_ landing: Int, settle: Int) -> GuardLadder.Rung {
            GuardLadder.Rung(
                .afterBelow, settleSeconds: max(settle, coolDownSeconds), holdSeconds: holdSeconds,
                landing: landing)
        }
        return GuardLadder([
            rung(GuardRung.observe.rawValue, settle: 0), rung(GuardRung.freeze.rawValue, settle: 0),
            rung(throttle, settle: migrationSeconds), rung(throttle, settle: 0), rung(throttle, settle: 0),
        ])
    }
}
