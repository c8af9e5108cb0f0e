package import Fleet

extension HostContact {
    /// Reason of the event when a host came to this contact.
    package var eventReason: Reason {
        switch self {
        case .ready: .hostReturned
        case .suspect: .hostSuspect
        case .fenced: .hostFenced
        }
    }

    package var sentence: String {
        switch self {
        case .ready: "the session renews the host's lease"
        case .suspect: "the host's lease ran out"
        case .fenced: "workloads with onPartition stop have stopped by now"
        }
    }

    /// The Ready condition: unknown while suspect, because nobody knows whether the machine runs.
    package func condition(at now: Timestamp) -> Condition {
        let status: Condition.Status =
            switch self {
            case .ready: .yes
            case .suspect: .unknown
            case .fenced: .no
            }
        let reason: Reason = self == .ready ? .hostReady : eventReason
        return Condition(
            type: .ready, status: status, reason: reason, message: sentence, lastTransitionTime: now)
    }
}
