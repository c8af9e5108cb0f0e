extension RuleBookAgent {
    /// What an alert means. Nil of a symptom that another alert explains.
    static func finding(_ name: AlertName, _ alert: Alert, all alerts: [Alert]) -> Finding? {
        let host = alert.hostName ?? ""
        switch name {
        case .agentSilent:
            // Of a host of which nothing else is known to be wrong only the renewals can be lost.
            let others = alerts.contains {
                $0.hostName == host && $0.name != alert.name && $0.name != AlertName.startsFail.rawValue
            }
            if others { return nil }
            return path("path/controller<->\(host)", .networkOrStorage)
        case .agentDown:
            return page("agent/\(host)", .controlPlane, .operation, .act(.restartAgent, .text(host)))
        case .agentStopped:
            return page("agent/\(host)", .operatingSystem, .operation, .act(.restartAgent, .text(host)))
        case .hostDown:
            return page("host/\(host)", .operatingSystem, .hardware, .act(.rebootHost, .text(host)))
        case .hostUnreachable:
            return page("host/\(host)", .operatingSystem, .operation, .act(.rebootHost, .text(host)))
        case .startsFail:
            return page("agent/\(host)", .operatingSystem, .exhaustion, .act(.restartAgent, .text(host)))
        case .inventoryShrunk:
            return page("host/\(host)", .controlPlane, .consistency, .act(.restartAgent, .text(host)))
        case .clockOff:
            return page(
                "host/\(host)", .operatingSystem, .clock, .act(.requestRepair, .text("clock/\(host)")))
        case .labelDrift:
            // The declaration stands behind the last sign of equality of the text: key=value.
            let declared = alert.text.split(separator: " ").last?.split(separator: "=").map(String.init) ?? []
            let repair =
                declared.count == 2
                ? AgentTurn.act(.setLabel, .text(host), .text(declared[0]), .text(declared[1])) : nil
            return page("host/\(host)", .controlPlane, .misconfiguration, repair)
        case .vmRestarts:
            return page(
                alert.component.description, .virtualization, .misconfiguration,
                .act(.restartWorkload, .text(alert.component.description)), rank: 2)
        case .ratioOutOfBounds:
            return page(
                alert.component.description, .controlPlane, .misconfiguration,
                .act(.rollbackPolicy, .text(alert.component.path)))
        default: return path(name, host) ?? service(name, alert)
        }
    }

    private static func path(_ name: AlertName, _ host: String) -> Finding? {
        switch name {
        case .probesLost: path("path/controller<->\(host)", .networkOrStorage)
        case .answersLost: path("path/controller->\(host)", .networkOrStorage)
        case .probesSlow, .probesDoubled: path("path/controller<->\(host)", .networkOrStorage)
        default: nil
        }
    }

    private static func service(_ name: AlertName, _ alert: Alert) -> Finding? {
        let component = alert.component.description
        switch name {
        case .controllerDown:
            return page(component, .controlPlane, .operation, .act(.restartController, .text(component)))
        case .controllerStopped:
            return page(component, .controlPlane, .consistency, .act(.restartController, .text(component)))
        case .databaseDown: return page("db/primary", .dataStore, .dependency, .act(.failoverDatabase))
        case .databaseReadOnly: return page("db/primary", .dataStore, .dependency, .act(.failoverDatabase))
        case .databaseSlow:
            return page(
                "db/table/events", .dataStore, .misconfiguration,
                .act(.tuneDatabase, .text("db/table/events"), .text("index")))
        case .databaseConflicts: return page("db/primary", .dataStore, .overload, .act(.failoverDatabase))
        case .databaseCommitsBreak:
            return page("db/primary", .dataStore, .networkOrStorage, .act(.failoverDatabase))
        default: return machine(name, alert)
        }
    }

    private static func path(_ name: String, _ type: FaultType) -> Finding {
        page(name, .network, type, .act(.requestRepair, .text(name)))
    }

    static func page(
        _ component: String, _ level: SystemLevel, _ type: FaultType, _ repair: AgentTurn?, rank: Int = 1
    ) -> Finding {
        Finding(component: ComponentName(component), level: level, type: type, repair: repair, rank: rank)
    }
}
