public import FaultLab

extension FaultKind {
    /// What a world can inject.
    public static let simulated: Set<FaultKind> = [
        .agentCrash, .agentHang, .heartbeatDrop, .wrongInventory, .clockOffset, .linkPartition,
        .linkAnswerLoss, .linkDelay, .linkLoss, .linkDuplicate, .hostPowerOff, .rackPartition,
        .hostUnreachable, .vmCrashLoop, .vmStartFailure, .controllerCrash, .controllerStall, .storeConflict,
        .storeOutcomeUnknown, .storeReadOnly, .storeOutage, .storeRestart, .storeSlow,
    ]

    /// What a world draws for itself: also what no problem is made of, as its fleet shows it too little.
    public static let drawn = simulated.union([
        .storeLockHeld, .storeConnectionsExhausted, .storeRoleLimit, .quotaTooLow, .labelDrift,
    ])
}
