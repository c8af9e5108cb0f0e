public import Fleet

/// The lease clock as controllers use it: what time it is, and waiting. A simulated world gives a virtual
/// one.
public struct Timekeeper: Sendable {
    /// Wall time, for records.
    public var now: @Sendable () -> Timestamp
    /// Waits; throws `CancellationError`.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// Time since some moment, for waits: it goes on whatever is done to the wall clock.
    public var uptime: @Sendable () -> Duration

    /// - Parameter uptime: the system's when absent.
    public init(
        now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (Duration) async throws -> Void,
        uptime: @escaping @Sendable () -> Duration = Timekeeper.systemUptime
    ) {
        self.now = now
        self.sleep = sleep
        self.uptime = uptime
    }

    private static let start = ContinuousClock.now

    public static let systemUptime: @Sendable () -> Duration = { start.duration(to: .now) }
}
