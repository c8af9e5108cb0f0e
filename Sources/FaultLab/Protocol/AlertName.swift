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

    // Of what stands around the control plane.
    case gpuLost = "GPULost"
    case gpuMemoryErrors = "GPUMemoryErrors"
    case gpuCorrectedErrors = "GPUCorrectedErrors"
    case gpuRemapFailed = "GPURemapFailed"
    case gpuStalled = "GPUStalled"
    case gpuHot = "GPUHot"
    case gpuClaimedTwice = "GPUClaimedTwice"
    case gpuBusNarrow = "GPUBusNarrow"
    case nvlinkDown = "NVLinkDown"
    case diskFull = "DiskFull"
    case connectionsFull = "ConnectionsFull"
    case driverUnloads = "DriverUnloads"
    case memoryKills = "MemoryKills"
    case diskErrors = "DiskErrors"
    case nicSaturated = "NICSaturated"
    case agentOutdated = "AgentOutdated"
    case agentUnauthorized = "AgentUnauthorized"
    case vmStarved = "VMStarved"
    case migrationSlow = "MigrationSlow"
    case claimOrphaned = "ClaimOrphaned"
    case jobSlow = "JobSlow"
    case jobStuck = "JobStuck"
    case jobLossSpikes = "JobLossSpikes"
    case jobDeviceErrors = "JobDeviceErrors"
    case checkpointsSlow = "CheckpointsSlow"
    case checkpointsUnreadable = "CheckpointsUnreadable"
    case imagesDamaged = "ImagesDamaged"
    case routerSkewed = "RouterSkewed"
    case routerRetries = "RouterRetries"
    case handoffSlow = "HandoffSlow"
    case enginesPreempt = "EnginesPreempt"
    case clockJumps = "ClockJumps"
    case resolverStale = "ResolverStale"
    case databaseLocked = "DatabaseLocked"
    case databaseFull = "DatabaseFull"
    case databaseDenies = "DatabaseDenies"
    case databaseBloats = "DatabaseBloats"
    case databaseLags = "DatabaseLags"
    case predictionsOff = "PredictionsOff"
    case predictorOld = "PredictorOld"
    case policyIgnored = "PolicyIgnored"
}
