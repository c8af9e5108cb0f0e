/// What ends a fault beside its own end: a model of what the action would do to the real thing.
///
/// Only for faults that live in a machine, a process or a path. What was written into documents, such as a
/// policy, is put right by writing it again, and is judged by what is written.
public struct Remedy: Sendable, Hashable {
    public var verbs: [ActionVerb]
    /// How long the action takes to help.
    public var seconds: Int

    /// The remedies of a kind; empty for what ends by documents alone, or not at all.
    public static func of(_ kind: FaultKind) -> [Remedy] {
        let onSite = Remedy(verbs: [.requestRepair], seconds: 60)
        let reboot = Remedy(verbs: [.rebootHost], seconds: 60)
        return switch kind {
        case .agentCrash, .agentHang, .wrongInventory, .vmStartFailure:
            [Remedy(verbs: [.restartAgent], seconds: 5), reboot]
        case .heartbeatDrop, .linkPartition, .linkAnswerLoss, .linkDelay, .linkLoss, .linkDuplicate,
            .rackPartition, .kvLinkDegraded, .diskFull, .clockOffset, .checkpointFailure:
            [onSite]
        case .hostPowerOff, .hostUnreachable: [reboot, onSite]
        case .vmCrashLoop: [Remedy(verbs: [.setWorkload], seconds: 0)]
        case .noisyNeighbour, .straggler: [Remedy(verbs: [.evacuate], seconds: 0)]
        case .migrationStuck: [Remedy(verbs: [.cancelMigration], seconds: 0)]
        case .controllerCrash, .controllerStall: [Remedy(verbs: [.restartController], seconds: 10)]
        case .storeOutage, .storeReadOnly, .storeConflict, .storeOutcomeUnknown, .storeRestart:
            [Remedy(verbs: [.failoverDatabase], seconds: 10)]
        case .storeSlow, .storeConnectionsExhausted: [Remedy(verbs: [.tuneDatabase], seconds: 5)]
        case .storeLockHeld: [Remedy(verbs: [.terminateDatabaseSession], seconds: 0)]
        case .storeRoleLimit: [Remedy(verbs: [.restoreGrant], seconds: 0)]
        case .deviceXID, .deviceECC, .deviceNVLink: [Remedy(verbs: [.resetGPU], seconds: 10), reboot]
        case .deviceThermal: [onSite]
        case .engineOverload: [Remedy(verbs: [.setRouteWeights], seconds: 0)]
        case .badRatio, .badPolicyDocument, .labelDrift, .doubleClaim, .wrongLifetimes, .quotaTooLow,
            .surroundings:
            []
        }
    }
}

extension Fault {
    /// The remedy that an action is for this fault; nil when it is none.
    ///
    /// - Parameter hosts: of the fault's target, beside its own name.
    public func remedy(_ write: WriteAction, hosts: Set<String>) -> Remedy? {
        guard let remedy = Remedy.of(kind).first(where: { $0.verbs.contains(write.verb) }) else { return nil }
        // There is one database: what is done to it is done to all of it.
        if target.component == .store { return remedy }
        return write.object.names.isDisjoint(with: hosts.union([target.name])) ? nil : remedy
    }
}
