internal import AgentProtocol
internal import Fleet

/// One part of a process substrate.
struct ProcessPart: Sendable {
    enum Stage: Sendable, Equatable {
        /// Accepted; nothing runs.
        case waiting
        /// Its image and order are being made; nothing runs.
        case preparing
        /// A shim was started, and tells by its journal what became of it.
        case launched
    }

    var key: PartKey
    var directive: PartDirective
    var state: RuntimeState
    var stage: Stage
    var isStopping = false
    /// An end that could not be written down yet; until it is, the part counts as running.
    var unrecorded: (end: PartEnd, cause: RunRecord.Cause)?

    var runtimePart: RuntimePart { RuntimePart(key: key, state: state, directive: directive) }

    var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    func record(
        _ event: RunRecord.Event, _ cause: RunRecord.Cause, at time: Timestamp, end: PartEnd? = nil
    ) -> RunRecord {
        RunRecord(
            time: time, host: key.host, allocation: key.allocation, workload: directive.workload.uid,
            part: directive.workload.part, event: event, reason: cause, end: end)
    }
}
