public import Fleet

/// What can go wrong: one vocabulary for the simulated world and for live injection.
public enum FaultKind: String, Sendable, Hashable, Comparable, ClosedWord {
    // Agents.
    case agentCrash
    /// The process stands still, connections stay open.
    case agentHang
    /// Renewals of the lease get lost, everything else arrives.
    case heartbeatDrop
    /// A host is reported with less, or other, than it has.
    case wrongInventory
    /// The wall clock of an agent or a controller is off.
    case clockOffset
    case diskFull

    // Links between an agent and the controllers.
    case linkPartition
    /// Requests arrive and answers do not.
    case linkAnswerLoss
    case linkDelay
    case linkLoss
    case linkDuplicate

    // Hosts, and what runs on them.
    case hostPowerOff
    /// All hosts of a rack lose contact at once.
    case rackPartition
    /// The agent cannot reach the host that it speaks for.
    case hostUnreachable
    case vmCrashLoop
    case vmStartFailure
    case noisyNeighbour
    case migrationStuck

    // Controllers.
    /// Ended in the middle of a transaction, which is lost or committed.
    case controllerCrash
    /// Stands still for longer than its leases last, then goes on.
    case controllerStall

    // The store.
    case storeConflict
    /// The connection breaks at COMMIT.
    case storeOutcomeUnknown
    case storeReadOnly
    case storeOutage
    case storeRestart
    case storeSlow
    case storeLockHeld
    case storeConnectionsExhausted
    case storeRoleLimit

    // Devices.
    case deviceXID
    case deviceECC
    case deviceNVLink
    case deviceThermal

    // Policies and data.
    case badRatio
    case badPolicyDocument
    case labelDrift
    case doubleClaim
    case wrongLifetimes
    case quotaTooLow

    // Training and serving.
    case straggler
    case checkpointFailure
    case engineOverload
    case kvLinkDegraded

    /// Something that the fleet depends on and that is no part of it; the value says what.
    case surroundings

    public static func < (lhs: FaultKind, rhs: FaultKind) -> Bool { lhs.rawValue < rhs.rawValue }

    /// Where the cause lies.
    public enum Layer: String, Sendable, Hashable, CaseIterable, Codable {
        case agent, network, host, workload, controller, store, device, policy
    }

    public var layer: Layer {
        switch self {
        case .agentCrash, .agentHang, .heartbeatDrop, .wrongInventory, .clockOffset, .diskFull: .agent
        case .linkPartition, .linkAnswerLoss, .linkDelay, .linkLoss, .linkDuplicate, .kvLinkDegraded,
            .rackPartition:
            .network
        case .hostPowerOff, .hostUnreachable, .noisyNeighbour: .host
        case .vmCrashLoop, .vmStartFailure, .migrationStuck, .straggler, .checkpointFailure, .engineOverload,
            .surroundings:
            .workload
        case .controllerCrash, .controllerStall: .controller
        case .storeConflict, .storeOutcomeUnknown, .storeReadOnly, .storeOutage, .storeRestart, .storeSlow,
            .storeLockHeld, .storeConnectionsExhausted, .storeRoleLimit:
            .store
        case .deviceXID, .deviceECC, .deviceNVLink, .deviceThermal: .device
        case .badRatio, .badPolicyDocument, .labelDrift, .doubleClaim, .wrongLifetimes, .quotaTooLow: .policy
        }
    }
}
