public import Fleet

/// What an agent says in one batch; every report renews the lease of all hosts of the session but the
/// unreachable ones.
///
/// `POST /v1/agent/report`, at least every `renewEverySeconds`.
public struct ReportRequest: Sendable, Codable, Equatable {
    public var incarnation: Int
    /// Rises by one with every report of an incarnation; a repeat is answered without effect.
    public var sequence: Int
    public var parts: [PartReport]
    /// Hosts the agent cannot reach itself; their leases are not renewed.
    public var unreachable: [String]
    /// How far training parts are, those that moved; nil for none. Taken at once and not by the sequence: of
    /// two copies the later says more.
    public var progress: [PartProgress]?

    public init(
        incarnation: Int, sequence: Int, parts: [PartReport], unreachable: [String] = [],
        progress: [PartProgress]? = nil
    ) {
        self.incarnation = incarnation
        self.sequence = sequence
        self.parts = parts
        self.unreachable = unreachable
        self.progress = progress
    }
}

/// The state of one part, as its agent sees it.
public struct PartReport: Sendable, Codable, Equatable {
    /// Where a part is, as the agent sees it.
    public enum State: String, Sendable, Codable, CaseIterable {
        case starting
        case running
        /// It does not run and will not be started again by the agent.
        case stopped
        /// The start failed, or it ended without being asked to; it does not run.
        case failed
    }

    /// Name of the host.
    public var host: String
    public var allocation: ID<Allocation>
    /// Generation of the assignment that the agent acted on.
    public var generation: Generation
    public var state: State
    public var exitCode: Int?
    public var message: String?
    /// Present when the allocation came from the agent's own ledger, so that an orphan can be quarantined
    /// with its size.
    public var directive: PartDirective?

    public init(
        host: String, allocation: ID<Allocation>, generation: Generation, state: State, exitCode: Int? = nil,
        message: String? = nil, directive: PartDirective? = nil
    ) {
        self.host = host
        self.allocation = allocation
        self.generation = generation
        self.state = state
        self.exitCode = exitCode
        self.message = message
        self.directive = directive
    }
}

/// What the controller took, and the parts it refused.
public struct ReportResponse: Sendable, Codable, Equatable {
    /// Sequence of the report that is now durable.
    public var acknowledged: Int
    public var epoch: Int
    /// Parts of the batch that were refused, with why; the agent logs them and goes on.
    public var refused: [RefusedPart]

    public init(acknowledged: Int, epoch: Int, refused: [RefusedPart] = []) {
        self.acknowledged = acknowledged
        self.epoch = epoch
        self.refused = refused
    }
}

/// A part whose report is not taken, and why.
public struct RefusedPart: Sendable, Codable, Equatable {
    public var host: String
    public var allocation: ID<Allocation>
    public var reason: Reason
    public var message: String

    public init(host: String, allocation: ID<Allocation>, reason: Reason, message: String) {
        self.host = host
        self.allocation = allocation
        self.reason = reason
        self.message = message
    }
}
