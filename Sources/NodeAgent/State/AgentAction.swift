public import AgentProtocol
public import Fleet

/// What an agent shall do, in order.
public enum AgentAction: Sendable, Equatable {
    /// Before anything that follows it, and durable.
    case persist([LedgerEntry])
    case hello(HelloRequest)
    case poll(PollRequest)
    case report(ReportRequest)
    case start(PartStart)
    case stop(PartKey)
    case forget([PartKey])
    case renew(LeaseRenewal)
    /// Read output and answer; nothing waits for it.
    case answer([LogQuestion])
    case notice(AgentNotice)
    /// End with the error; leave workloads alone.
    case exit(AgentError)
}

/// What a person may want to know.
public enum AgentNotice: Sendable, Equatable {
    case greeted(incarnation: Int, epoch: Int)
    case hostRefused(RefusedHost)
    case assignmentRefused(host: String, generation: Generation, AssignmentRefusal)
    case partRefused(RefusedPart)
    case partLost(PartKey)
    case partFailed(PartKey, message: String)
    case runtimeCallFailed(RuntimeCall, RuntimeError)
    case callFailed(AgentCall, ControlPlaneError, failures: Int)
    /// The answer belongs to a database before a restore.
    case staleEpoch(answered: Int, known: Int)
    /// The lease's times are not safe to fence by.
    case unsafeLease(String)
}

/// Why an agent does not act on an assignment.
public enum AssignmentRefusal: Sendable, Equatable {
    case older(held: Generation)
    /// The generation is the held one with other content: two writers made it.
    case conflictingHash(held: String)
    /// The parts are not what the hash says.
    case wrongHash(computed: String)
    /// Of an epoch that the agent has not yet reported what it runs to.
    case epochNotGreeted(known: Int)
    case unknownHost
}
