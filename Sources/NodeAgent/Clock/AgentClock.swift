public import Fleet

/// The lease clock of an agent: leases, retries and deadlines are measured with it, never the fleet clock.
public protocol AgentClock: Sendable {
    /// Names the boot that `now` counts from; two processes with the same id may compare their times.
    var bootID: String { get }
    func now() -> MonotonicTime
    /// Wall time, for records that people and other machines read, and for spans that cross a boot.
    func wallTime() -> Timestamp
    /// Returns at `deadline` or later.
    /// - Throws: `CancellationError` when the task is cancelled.
    func sleep(until deadline: MonotonicTime) async throws
    /// Ends waits that last too long.
    var alarm: Alarm { get }
}

extension AgentClock {
    public var alarm: Alarm {
        Alarm(sleep: { try await self.sleep(until: self.now().advanced(by: $0)) })
    }
}
