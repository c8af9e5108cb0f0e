public import VMPlacement

/// One VM to learn from, or to be judged by.
public struct TrainingVM: Sendable, Hashable {
    public var observation: LifetimeObservation
    /// Seconds on the trace's clock.
    public var startedAt: Double

    public init(_ observation: LifetimeObservation, startedAt: Double) {
        self.observation = observation
        self.startedAt = startedAt
    }

    /// What was known of the VM at `time`; nil before its start.
    public func seen(at time: Double) -> TrainingVM? {
        guard startedAt < time else { return nil }
        let age = time - startedAt
        guard age < observation.seconds else { return self }
        var seen = self
        seen.observation.seconds = age
        seen.observation.hasEnded = false
        return seen
    }
}
