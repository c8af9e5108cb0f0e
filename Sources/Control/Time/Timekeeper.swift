public import Fleet

/// The lease clock as controllers use it: what time it is, and waiting. A simulated world gives a virtual
/// one.
public struct Timekeeper: Sendable {
    /// Wall time, for records.
    public var now: @Sendable () -> Timestamp
    /// Waits; throws `CancellationError`.
    public var sleep: @Sendable (Duration) async throws -> Void

    public init(
        now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }
}
