public import AgentProtocol

/// What happens to an agent.
public enum AgentEvent: Sendable {
    /// Once, first.
    case started
    /// Time passed.
    case tick
    case helloAnswered(HelloResponse)
    case polled(PollResponse, incarnation: Int)
    case reportAnswered(ReportResponse, incarnation: Int)
    case callFailed(AgentCall, ControlPlaneError)
    /// The runtime took a call, or did not.
    case runtimeAnswered(RuntimeCall, failure: RuntimeError?)
    case runtimeChanged(RuntimeChanges)
    /// Everything the runtime knows, after changes may have been missed.
    case runtimeListed([RuntimePart])
    /// The hosts of the session as they are now: something about them has changed.
    case inventoryFound([InventoriedHost])
}

/// A call to the control plane. The incarnation tells answers of an earlier hello apart.
public enum AgentCall: Sendable, Equatable {
    case hello
    case poll(incarnation: Int)
    case report(incarnation: Int)
}

/// A call to the runtime.
public enum RuntimeCall: Sendable, Equatable {
    case start(PartKey)
    case stop(PartKey)
}
