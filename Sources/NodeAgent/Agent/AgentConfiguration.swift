/// How an agent works, apart from what the control plane tells it.
public struct AgentConfiguration: Sendable {
    /// Version of the agent's program, sent with hello.
    public var version: String
    /// Starts and stops given to the runtime at once. A real host forks one process per call; 64 keep it
    /// responsive, and a simulated fleet answers at once.
    public var runtimeCallLimit: Int
    public var backoff: Backoff
    /// How long a report waits for others; bounded by the session's `batchAgeSeconds`. Short, as people wait
    /// for the answer, but long enough that a busy session sends 10 reports a second, not one per part.
    public var reportCoalescing: Duration
    /// Resolution of the agent's timers: nothing is looked at sooner after the last look.
    public var tick: Duration
    /// How long a call may take before it counts as unanswered, beyond the wait of a poll. For a report it
    /// is at most a third of the time to the fence deadline, so that a hanging connection leaves room for
    /// more tries.
    public var callTimeout: Duration

    public init(
        version: String, runtimeCallLimit: Int = 64, backoff: Backoff = .standard,
        reportCoalescing: Duration = .milliseconds(100), tick: Duration = .milliseconds(50),
        callTimeout: Duration = .seconds(8)
    ) {
        self.version = version
        self.runtimeCallLimit = runtimeCallLimit
        self.backoff = backoff
        self.reportCoalescing = reportCoalescing
        self.tick = tick
        self.callTimeout = callTimeout
    }
}

/// Waits between tries that double up to a cap, with jitter so that a fleet does not return in step.
public struct Backoff: Sendable {
    public var first: Duration
    public var cap: Duration

    /// The cap is one renewal: after an outage every session is back within 5 s.
    public static let standard = Backoff(first: .milliseconds(250), cap: .seconds(5))

    public init(first: Duration, cap: Duration) {
        self.first = first
        self.cap = cap
    }

    /// - Parameters:
    ///   - failures: failed tries in a row, from 1.
    ///   - unit: jitter in [0, 1); the wait is between half and all of the step.
    public func wait(afterFailures failures: Int, unit: Double) -> Duration {
        // 2^20 steps of the shortest useful wait are far past any cap.
        let step = min(cap, first * (1 << min(max(failures - 1, 0), 20)))
        return step * (0.5 + 0.5 * unit)
    }
}
