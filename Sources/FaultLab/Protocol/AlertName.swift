/// What monitoring tells: symptoms, each of which has more than one possible cause.
public enum AlertName: String, Sendable, Hashable, CaseIterable, Codable {
    /// The control plane has not heard of a host for longer than its lease.
    case agentSilent = "AgentSilent"
    /// The agent's process is not there.
    case agentDown = "AgentDown"
    /// The process is there and does not move.
    case agentStopped = "AgentStopped"
    /// The machine's management controller says that the power is off.
    case hostDown = "HostDown"
    /// The machine is on and does not answer on its own address.
    case hostUnreachable = "HostUnreachable"
    /// Probes between controllers and a host are lost, some or all.
    case probesLost = "ProbesLost"
    /// Probes arrive and their answers do not.
    case answersLost = "AnswersLost"
    case probesSlow = "ProbesSlow"
    case probesDoubled = "ProbesDoubled"
    case clockOff = "ClockOff"
    /// A host reports less than it did.
    case inventoryShrunk = "InventoryShrunk"
    /// A host's labels are not those that are declared for it.
    case labelDrift = "LabelDrift"
    /// Starts on a host are refused.
    case startsFail = "StartsFail"
    case vmRestarts = "VMRestarts"
    /// A pool sells cores beyond what is allowed.
    case ratioOutOfBounds = "RatioOutOfBounds"
    case controllerDown = "ControllerDown"
    case controllerStopped = "ControllerStopped"
    case databaseDown = "DatabaseDown"
    case databaseReadOnly = "DatabaseReadOnly"
    case databaseSlow = "DatabaseSlow"
    case databaseConflicts = "DatabaseConflicts"
    case databaseCommitsBreak = "DatabaseCommitsBreak"
}
