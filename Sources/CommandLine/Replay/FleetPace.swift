internal import APITypes
internal import Fleet

/// Translates between the fleet clock of a control plane and the uptime of this process.
struct FleetPace: Sendable, Equatable {
    /// Fleet seconds per second.
    private(set) var rate: Double
    /// Fleet time since the start of the replay, at `anchor`.
    private var elapsed: Duration
    private var anchor: Duration
    /// Fleet time of the start; nil when the rate is the user's own.
    private let start: Timestamp?

    /// A pace of the user's own.
    init(rate: Double, uptime: Duration) {
        self.rate = rate
        elapsed = .zero
        anchor = uptime
        start = nil
    }

    /// The pace of the control plane's fleet clock.
    init(_ cluster: ClusterSummary, uptime: Duration) {
        rate = cluster.fleetRate
        elapsed = .zero
        anchor = uptime
        start = cluster.fleetTime
    }

    /// Fleet time since the start of the replay.
    func elapsed(at uptime: Duration) -> Duration { elapsed + (uptime - anchor) * rate }

    /// Uptime that passes from `uptime` until fleet time `time`; zero when it is past.
    func wait(until time: Duration, from uptime: Duration) -> Duration {
        max(.zero, (time - elapsed(at: uptime)) / rate)
    }

    /// Follows the fleet clock, which another controller may tell differently; it never goes back here.
    mutating func follow(_ cluster: ClusterSummary, uptime: Duration) {
        guard let start, cluster.fleetRate > 0 else { return }
        elapsed = max(elapsed(at: uptime), cluster.fleetTime.since(start))
        anchor = uptime
        rate = cluster.fleetRate
    }
}
