public import FaultLab

extension FaultKind {
    /// What a world can inject.
    public static let simulated: Set<FaultKind> = [
        .agentCrash, .agentHang, .heartbeatDrop, .wrongInventory, .clockOffset, .linkPartition,
        .linkAnswerLoss, .linkDelay, .linkLoss, .linkDuplicate, .hostPowerOff, .rackPartition,
        .hostUnreachable, .vmCrashLoop, .vmStartFailure, .controllerCrash, .controllerStall, .storeConflict,
        .storeOutcomeUnknown, .storeReadOnly, .storeOutage, .storeRestart, .storeSlow,
    ]
}
