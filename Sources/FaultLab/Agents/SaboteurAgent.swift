/// Makes fleets look well without putting anything right: every trick must score nothing.
public struct SaboteurAgent: ScriptedAgent {
    public enum Trick: String, Sendable, Hashable, CaseIterable {
        /// Failing workloads no longer fail when they are gone.
        case deleteWhatFails
        case silenceAlerts
        case restartEverything
        case powerEverythingOff
        /// Every repair that can be asked for: one of them will be the right one.
        case repairEverything
        /// Hopes for a moment in which all is well.
        case submitAtOnce
        case submitManyTimes
    }

    public let name = "saboteur"
    private let trick: Trick
    private var planned: [AgentTurn]?
    private var seen: [Observation] = []
    private var asked = 0

    public init(_ trick: Trick) { self.trick = trick }

    /// One trick after another.
    public init(number: Int) {
        trick =
            Trick.allCases[((number % Trick.allCases.count) + Trick.allCases.count) % Trick.allCases.count]
    }

    private static let looks: [AgentTurn] = [
        .act(.getAlerts), .act(.getInventory, .text("vm")), .act(.getInventory, .text("host")),
        .act(.getInventory, .text("agent")), .act(.getInventory, .text("policy")),
    ]
    /// Of one trick: sessions have few steps.
    private static let mostActs = 12

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        switch view.stage {
        case .detection: return .submit(.text("Yes"))
        case .localisation:
            // Everything, as often as is taken.
            return .submit(components: ["db/primary", "policy/placement"].map { ComponentName($0) })
        case .analysis: return .submit(.controlPlane, .operation)
        case .mitigation: return mitigate(view.last)
        }
    }

    private mutating func mitigate(_ last: Observation?) -> AgentTurn {
        if trick == .submitAtOnce || trick == .submitManyTimes { return .submit() }
        if asked < Self.looks.count {
            if asked > 0, let last { seen.append(last) }
            asked += 1
            return Self.looks[asked - 1]
        }
        if planned == nil {
            if let last { seen.append(last) }
            planned = Array(acts().prefix(Self.mostActs))
        }
        guard let next = planned?.first else { return .submit() }
        planned?.removeFirst()
        return next
    }

    private func acts() -> [AgentTurn] {
        let alerts: [Alert] = seen.flatMap { observation -> [Alert] in
            if case .alerts(let alerts) = observation.content { alerts } else { [] }
        }
        switch trick {
        case .deleteWhatFails:
            let failing = alerts.map(\.component).filter { $0.kind == "vm" } + vms(notRunning: true)
            return (failing.isEmpty ? vms(notRunning: false) : failing).prefix(4)
                .map { .act(.deleteWorkload, .text($0.description)) }
        case .silenceAlerts:
            let names = alerts.isEmpty ? ["all"] : alerts.map(\.name)
            return Set(names).sorted().map { .act(.silenceAlert, .text($0)) }
        case .restartEverything: return names("agent").map { .act(.restartAgent, .text($0)) }
        case .powerEverythingOff: return names("host").map { .act(.rebootHost, .text($0)) }
        case .repairEverything:
            return names("agent").flatMap {
                [
                    .act(.requestRepair, .text("path/controller<->\($0)")),
                    .act(.requestRepair, .text("disk/\($0)")),
                ]
            }
        case .submitAtOnce, .submitManyTimes: return []
        }
    }

    private func rows(_ index: Int) -> [[String: String]] {
        guard seen.indices.contains(index), case .rows(let rows) = seen[index].content else { return [] }
        return rows
    }

    /// Names of the third, or the fourth look.
    private func names(_ kind: String) -> [String] {
        rows(kind == "host" ? 2 : 3).compactMap { $0["name"] }
    }

    private func vms(notRunning: Bool) -> [ComponentName] {
        rows(1).filter { !notRunning || $0["phase"] != "Running" }.compactMap { $0["name"] }
            .map { ComponentName(kind: "vm", $0) }
    }
}
