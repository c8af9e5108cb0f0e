/// When repeats and counters matter.
public struct HealthRules: Sendable, Hashable {
    /// Lines of one code within this time are one incident: a failing device repeats itself.
    public var incident = Duration.seconds(60)
    /// Failures of workloads that are not the workloads' own, until the device itself is suspected.
    public var workloadRepeats = 5
    public var workloadWindow = Duration.seconds(3600)
    /// Incidents that each asked for a reset, until the device is to be replaced.
    public var resetRepeats = 3
    /// Incidents that each asked for a restart of the host, until the device is to be replaced.
    public var restartRepeats = 2
    public var repairWindow = Duration.seconds(86_400)
    /// How long it is told that a workload failed or something is to be looked into.
    public var noteFor = Duration.seconds(3600)
    public var counterWindow = Duration.seconds(3600)
    /// Within the window; a sound device has a handful.
    public var correctedErrors = 100
    /// Within the window; the value at which DCGM's policy of links warns.
    public var linkErrors = 100
    /// Share of the time for which clocks are held down, over at least `violationAtLeast`.
    public var violationShare = 0.5
    public var violationAtLeast = Duration.seconds(120)

    public init() {}
}
