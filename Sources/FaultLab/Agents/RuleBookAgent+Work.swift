extension RuleBookAgent {
    /// Of devices and machines, in the words of what monitoring sees of them.
    static func machine(_ name: AlertName, _ alert: Alert) -> Finding? {
        let component = alert.component.description
        let (host, path) = (alert.hostName ?? "", alert.component.path)
        switch name {
        case .gpuLost, .gpuBusNarrow:
            return page(component, .hardware, .hardware, .act(.drain, .text(host)))
        case .gpuMemoryErrors, .gpuStalled:
            return page(component, .hardware, .hardware, .act(.resetGPU, .text(path)))
        case .gpuRemapFailed:
            return page(component, .hardware, .hardware, .act(.markGPU, .text(path), .text("excluded")))
        case .gpuCorrectedErrors:
            return page(component, .hardware, .hardware, .act(.requestRepair, .text(component)))
        case .gpuHot:
            return page("host/\(host)", .hardware, .hardware, .act(.requestRepair, .text("cooling/\(host)")))
        case .gpuClaimedTwice: return page(component, .controlPlane, .consistency, nil)
        case .nvlinkDown:
            return page(component, .hardware, .hardware, .act(.resetGPU, .text(path)))
        case .diskFull:
            return page(component, .operatingSystem, .exhaustion, .act(.requestRepair, .text("disk/\(host)")))
        case .connectionsFull:
            return page(
                component, .operatingSystem, .exhaustion,
                .act(.requestRepair, .text("setting/\(host)/conntrack")))
        case .driverUnloads:
            return page(
                component, .operatingSystem, .misconfiguration,
                .act(.requestRepair, .text("setting/\(host)/persistence")))
        case .memoryKills: return page(component, .operatingSystem, .exhaustion, nil)
        case .diskErrors:
            return page(component, .hardware, .hardware, .act(.requestRepair, .text(component)))
        case .nicSaturated:
            return page(component, .network, .misconfiguration, .act(.requestRepair, .text(component)))
        case .agentOutdated:
            return page(component, .controlPlane, .dependency, .act(.upgradeAgent, .text(path)))
        case .agentUnauthorized:
            let credential = "credential/agent-\(path)"
            return page(
                credential, .controlPlane, .authentication, .act(.rotateCredential, .text(credential)))
        default: return work(name, alert)
        }
    }

    /// Of workloads and what serves them.
    private static func work(_ name: AlertName, _ alert: Alert) -> Finding? {
        let component = alert.component.description
        let path = alert.component.path
        switch name {
        case .vmStarved:
            return page(component, .virtualization, .overload, .act(.evacuate, .text(component)))
        case .migrationSlow:
            return page(component, .virtualization, .operation, .act(.cancelMigration, .text(path)))
        case .claimOrphaned: return page(component, .controlPlane, .consistency, nil)
        // Slow jobs are victims more often than causes.
        case .jobSlow:
            return page(component, .hardware, .overload, .act(.evacuate, .text(component)), rank: 2)
        case .jobStuck:
            return page(
                component, .application, .codeDefect,
                .act(.restoreCheckpoint, .text(path), .text("latest-valid")))
        case .jobLossSpikes: return page(component, .hardware, .hardware, nil, rank: 2)
        case .jobDeviceErrors:
            return page(component, .application, .codeDefect, .act(.restartWorkload, .text(path)))
        case .checkpointsSlow, .checkpointsUnreadable:
            return page(component, .storage, .networkOrStorage, .act(.requestRepair, .text(component)))
        case .imagesDamaged:
            return page(component, .application, .consistency, .act(.requestRepair, .text(component)))
        case .routerSkewed, .routerRetries: return page(component, .application, .misconfiguration, nil)
        case .handoffSlow:
            return page(component, .network, .networkOrStorage, .act(.requestRepair, .text(component)))
        case .enginesPreempt:
            return page(component, .application, .misconfiguration, .act(.rollbackPolicy, .text(path)))
        default: return control(name, alert)
        }
    }

    /// Of the control plane, its database and what it goes by.
    private static func control(_ name: AlertName, _ alert: Alert) -> Finding? {
        let component = alert.component.description
        let path = alert.component.path
        switch name {
        case .clockJumps:
            return page(component, .operatingSystem, .clock, .act(.requestRepair, .text("clock/\(path)")))
        case .resolverStale:
            return page(
                component, .network, .misconfiguration, .act(.requestRepair, .text("resolver/\(path)")))
        case .databaseLocked: return page(component, .dataStore, .operation, nil)
        case .databaseFull:
            return page(
                component, .dataStore, .exhaustion, .act(.tuneDatabase, .text(component), .text("limit")))
        case .databaseDenies:
            return page(component, .dataStore, .authentication, .act(.restoreGrant, .text(component)))
        case .databaseBloats:
            return page(
                component, .dataStore, .misconfiguration,
                .act(.tuneDatabase, .text(component), .text("autovacuum")))
        case .databaseLags:
            return page(
                component, .dataStore, .networkOrStorage, .act(.tuneDatabase, .text(component), .text("slot"))
            )
        case .predictionsOff, .predictorOld:
            return page(component, .application, .prediction, .act(.rollbackModel, .text(path)))
        case .policyIgnored:
            return page(component, .controlPlane, .misconfiguration, .act(.rollbackPolicy, .text(path)))
        default: return nil
        }
    }

    /// The alert of monitoring whose page an alert rule of the product leads to: what operators are paged for
    /// and what the book knows are one vocabulary.
    static let rules: [String: AlertName] = [
        "BasaltHostSilent": .agentSilent, "BasaltCellWithoutController": .controllerDown,
        "BasaltDown": .controllerDown, "BasaltFeedLag": .databaseSlow,
        "BasaltCommitRefusals": .databaseConflicts, "BasaltPendingTooLong": .ratioOutOfBounds,
        "BasaltQuarantine": .claimOrphaned, "BasaltBreakerTripped": .probesLost,
        "BasaltDatabaseRetries": .databaseConflicts, "BasaltDatabaseUnavailable": .databaseDown,
        "BasaltAgentCallsFail": .agentUnauthorized, "BasaltDevicesFailed": .gpuLost,
        "BasaltDevicesDegraded": .gpuMemoryErrors, "BasaltRepairsWait": .gpuRemapFailed,
        "BasaltKernelLogLost": .gpuStalled, "BasaltRouterRoutesStale": .controllerDown,
        "BasaltRouterRefuses": .routerRetries, "BasaltRouterBusy": .enginesPreempt,
    ]
}
