import AgentProtocol
import Fleet

/// One host as the agent holds it.
struct HostState: Sendable {
    var accepted: AcceptedVersion?
    /// Whether the session carries the host; the ledger may know hosts of an earlier set-up.
    var isCarried = false
    /// The controllers do not let this session act for the host.
    var isRefused = false
    /// Incarnation that last brought the host's current assignment. Until the present one did, the ledger may
    /// be outdated, and nothing is started or forgotten.
    var confirmedBy: Int?
    var parts: [ID<Allocation>: PartState] = [:]
}

/// One part as the agent holds it.
struct PartState: Sendable {
    /// `accepted → launching → starting → running → stopping → ended`; any may be skipped, none repeated.
    enum Phase: Sendable, Equatable {
        /// To be started; the runtime was not asked.
        case accepted
        /// The runtime is being asked.
        case launching
        case starting
        case running
        case stopping
        case ended(PartEnd)
    }

    var directive: PartDirective
    var phase: Phase
    /// Whether the newest assignment names the part.
    var listed: Bool
    /// A start whose outcome nobody knew: the part is stopped for it, and then counts as failed.
    var doubt: String?
    /// Rises with every change worth a report.
    var revision = 0
    /// The control plane has the current revision.
    var acknowledged = false

    var isEnded: Bool {
        if case .ended = phase { true } else { false }
    }

    var isRunning: Bool { phase == .running || phase == .stopping }

    var progress: LedgerPart.Progress {
        switch phase {
        case .accepted, .launching: .accepted
        case .starting, .running, .stopping: .launched
        case .ended(let end): .ended(end)
        }
    }

    var ledgerPart: LedgerPart { LedgerPart(directive: directive, progress: progress, listed: listed) }
}
