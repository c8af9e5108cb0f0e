import AgentProtocol
import Fleet

/// One part in a simulation.
struct SimulatedPart: Sendable {
    var key: PartKey
    var directive: PartDirective
    var state: RuntimeState
    /// When the start was accepted.
    var startedAt: MonotonicTime
    var isStopping = false
    /// When it ended; nil while it has not.
    var endedAt: MonotonicTime?

    var runtimePart: RuntimePart { RuntimePart(key: key, state: state, directive: directive) }

    var isEnded: Bool {
        if case .ended = state { true } else { false }
    }
}

/// A line for the journal, on the clock of this process.
struct SimulatedEvent: Sendable {
    var time: MonotonicTime
    var part: SimulatedPart
    var event: RunRecord.Event
    var reason: RunRecord.Cause
}
