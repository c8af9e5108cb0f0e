package import AgentProtocol
package import Fleet

extension GuardNote {
    /// Reason of the event that tells of it.
    package var reason: Reason {
        switch cause {
        case .hot, .regulation: .hostHot
        case .calm: .hostCalm
        case .stale: .telemetryStale
        }
    }
}

/// What the `Guarded` condition of a host says.
package enum GuardWords {
    package static let silent = "the host has not told its use; it takes no more VMs until it does"

    package static func condition(_ rung: GuardLevel, at now: Timestamp) -> Condition {
        Condition(
            type: .guarded, status: rung.admits ? .no : .yes, reason: rung.admits ? .hostCalm : .hostHot,
            message: message(rung), lastTransitionTime: now)
    }

    package static func silence(at now: Timestamp) -> Condition {
        Condition(
            type: .guarded, status: .yes, reason: .telemetryStale, message: silent, lastTransitionTime: now)
    }

    /// As the condition tells a rung.
    package static func message(_ rung: GuardLevel) -> String {
        switch rung {
        case .observe: "the host's cores suffice"
        case .freeze: "the host takes no more VMs"
        case .throttle: "the host takes no more VMs, and spot VMs are held back"
        case .migrate: "spot VMs are held back, and VMs should move away"
        case .evict: "spot VMs should stop"
        case .page: "nothing is left that the guard could ask for"
        }
    }
}
