internal import FaultLab

extension TargetFile.Entry {
    /// What can be done to it, by how it is reached; each once.
    var kinds: [FaultKind] {
        let all = processKinds + linkKinds + databaseKinds + (seamed ?? [])
        var seen: Set<FaultKind> = []
        return all.filter { seen.insert($0).inserted }
    }

    private var processKinds: [FaultKind] {
        var kinds: [FaultKind] = []
        if program != nil {
            switch target.component {
            case .agent: kinds += [.agentCrash, .agentHang, .diskFull]
            case .controller: kinds += [.controllerCrash, .controllerStall]
            case .host: kinds += [.hostPowerOff]
            default: break
            }
        }
        if controlGroup != nil {
            switch target.component {
            case .agent: kinds.append(.agentHang)
            case .controller: kinds.append(.controllerStall)
            default: break
            }
        }
        if agentStates != nil, target.component == .vm { kinds.append(.vmCrashLoop) }
        if target.component == .host { kinds.append(.noisyNeighbour) }
        return kinds
    }

    private var linkKinds: [FaultKind] {
        if interface != nil {
            return [.linkPartition, .linkDelay, .linkLoss, .linkDuplicate, .kvLinkDegraded]
        }
        guard proxy != nil else { return [] }
        return switch target.component {
        case .rack: [.rackPartition]
        // Between a controller and the store.
        case .controller: [.linkPartition, .linkAnswerLoss, .linkDelay, .linkLoss, .storeOutcomeUnknown]
        case .replica: [.kvLinkDegraded]
        default: [.linkPartition, .linkAnswerLoss, .linkDelay, .linkLoss]
        }
    }

    private var databaseKinds: [FaultKind] {
        guard let database else { return [] }
        let kinds: [FaultKind] = [
            .storeOutage, .storeRestart, .storeReadOnly, .storeSlow, .storeLockHeld,
            .storeConnectionsExhausted,
        ]
        return database.role == nil ? kinds : kinds + [.storeRoleLimit]
    }

    /// What its programs do to themselves; nil where they were not told to.
    var seamed: [FaultKind]? {
        guard seams?.isEmpty == false else { return nil }
        return switch target.component {
        case .agent: [.heartbeatDrop, .clockOffset] + (program == nil ? [] : [.wrongInventory])
        case .link: [.linkDuplicate]
        case .host: [.vmStartFailure]
        case .vm: [.migrationStuck]
        case .job: [.straggler, .checkpointFailure]
        // A link that is led by way of a proxy is degraded there.
        case .replica:
            proxy == nil && interface == nil ? [.engineOverload, .kvLinkDegraded] : [.engineOverload]
        default: []
        }
    }
}
