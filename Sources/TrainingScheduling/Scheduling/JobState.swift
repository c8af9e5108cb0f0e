/// A job between its submission and its end.
public struct JobState: Sendable, Hashable {
    /// Pending, starting for a while, running; again pending after an eviction.
    public enum Phase: Sendable, Hashable {
        case pending
        /// Immovable until then.
        case starting(until: Double)
        case running
    }

    public var job: TrainingJob
    public var phase: Phase = .pending
    /// What it holds; nil while pending.
    public var grant: Grant?
    /// Steps left.
    public var remaining: Double
    /// Changes of shape and evictions, the first start left out.
    public var restarts = 0
    /// Seconds since the first start in which it held something.
    public var heldSeconds = 0.0
    /// GPU-seconds that it held.
    public var attained = 0.0
    /// Since when it waits.
    public var pendingSince: Double
    public var firstStart: Double?
    /// When its state was last on disk.
    public var checkpointAt: Double?

    public init(_ job: TrainingJob) {
        self.job = job
        remaining = job.steps
        pendingSince = job.submittedAt
    }

    /// Seconds to the end as a point, a restart besides.
    public func seconds(_ point: SpeedPoint, restart: Double) -> Double {
        remaining * point.secondsPerStep + restart
    }

    /// Seconds to the end as it is now.
    public func secondsLeft(now: Double) -> Double {
        guard let grant else { return .infinity }
        var left = remaining * grant.point.secondsPerStep
        if case .starting(let until) = phase { left += max(0, until - now) }
        return left
    }

    /// Whether one more change of shape leaves enough of its time for work: `(T − N δ) / T ≥ gate`.
    public func passesGate(_ gate: Double, restart: Double) -> Bool {
        guard case .running = phase else { return false }
        guard gate > 0 else { return true }
        let cost = Double(restarts + 1) * restart
        return heldSeconds > 0 && (heldSeconds - cost) / heldSeconds >= gate
    }
}
