public import Fleet

/// The lease clock as controllers use it: what time it is, and waiting. A simulated world gives a virtual
/// one.
public struct Timekeeper: Sendable {
    /// Wall time, for records.
    public var now: @Sendable () -> Timestamp
    /// Waits; throws `CancellationError`.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// Time since some moment: it goes on whatever is done to the wall clock. Waits, and what is done every so
    /// often, go by it; with the wall clock they would stand still when it is set back.
    public var uptime: @Sendable () -> Duration
    /// Ends waits that last too long.
    public var alarm: Alarm

    /// - Parameters:
    ///   - uptime: as `now` goes on when absent, for a clock that nobody sets.
    ///   - alarm: one that sleeps when absent.
    public init(
        now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (Duration) async throws -> Void,
        uptime: (@Sendable () -> Duration)? = nil, alarm: Alarm? = nil
    ) {
        self.now = now
        self.sleep = sleep
        self.alarm = alarm ?? Alarm(sleep: sleep)
        self.uptime = uptime ?? { .microseconds(now().microseconds) }
    }

    private static let start = ContinuousClock.now

    public static let systemUptime: @Sendable () -> Duration = { start.duration(to: .now) }
}
