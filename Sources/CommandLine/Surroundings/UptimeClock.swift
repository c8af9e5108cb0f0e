/// The injected uptime as a clock, for code that takes one. It only tells the time.
struct UptimeClock: Clock {
    struct Instant: InstantProtocol {
        var uptime: Duration

        func advanced(by duration: Duration) -> Instant { Instant(uptime: uptime + duration) }
        func duration(to other: Instant) -> Duration { other.uptime - uptime }
        static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.uptime < rhs.uptime }
    }

    let uptime: @Sendable () -> Duration

    var now: Instant { Instant(uptime: uptime()) }
    var minimumResolution: Duration { .nanoseconds(1) }

    /// Nothing that takes this clock sleeps by it.
    func sleep(until deadline: Instant, tolerance: Duration?) async throws { try Task.checkCancellation() }
}
