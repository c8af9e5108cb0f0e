/// A book of runbooks: if this alert, then that component, cause and repair. Looks once, and believes what it
/// sees.
public struct RuleBookAgent: ScriptedAgent {
    public let name = "rulebook"
    private var alerts: [Alert]?
    private var racks: [String: String]?
    private var waits = 0
    private var findings: [Finding] = []
    private var calls: [AgentTurn]?

    public init() {}

    /// What a page of the book says.
    struct Finding: Sendable, Hashable {
        var component: ComponentName
        var level: SystemLevel
        var type: FaultType
        var repair: AgentTurn?
        /// The closest to a cause first.
        var rank: Int
    }

    /// Looks at alerts again when there are none: some need time.
    private static let mostWaits = 2
    /// Repairs that are tried.
    private static let mostRepairs = 3

    public mutating func turn(_ view: AgentView) -> AgentTurn {
        if let look = look(view.last) { return look }
        switch view.stage {
        case .detection: return .submit(.text(findings.isEmpty ? "No" : "Yes"))
        case .localisation: return .submit(components: Array(findings.map(\.component).prefix(3)))
        case .analysis: return .submit(findings.first?.level, findings.first?.type)
        case .mitigation:
            var left = calls ?? Array(findings.compactMap(\.repair).prefix(Self.mostRepairs))
            guard !left.isEmpty else { return .submit() }
            let next = left.removeFirst()
            calls = left
            return next
        }
    }

    /// Nil once everything was seen.
    private mutating func look(_ last: Observation?) -> AgentTurn? {
        if alerts == nil {
            guard case .alerts(let seen)? = last?.content else { return .act(.getAlerts) }
            if seen.isEmpty, waits < Self.mostWaits {
                waits += 1
                return .wait(seconds: 60)
            }
            alerts = seen
            return .act(.getInventory, .text("host"))
        }
        guard racks == nil else { return nil }
        var known: [String: String] = [:]
        if case .rows(let rows)? = last?.content {
            for row in rows { if let name = row["name"], let rack = row["rack"] { known[name] = rack } }
        }
        racks = known
        findings = Self.findings(alerts ?? [], racks: known)
        return nil
    }

    /// What follows from alerts; the likeliest cause first.
    static func findings(_ alerts: [Alert], racks: [String: String]) -> [Finding] {
        let silentRack = rack(behind: alerts, racks: racks)
        var findings: [Finding] = []
        if let silentRack {
            let name = ComponentName(kind: "switch", silentRack)
            findings.append(
                Finding(
                    component: name, level: .network, type: .hardware,
                    repair: .act(.requestRepair, .text(name.description)), rank: 0))
        }
        for alert in alerts {
            guard let word = AlertName(rawValue: alert.name) ?? rules[alert.name],
                let finding = finding(word, alert, all: alerts)
            else { continue }
            // What the rack explains needs no cause of its own.
            if let silentRack, let host = alert.hostName, racks[host] == silentRack { continue }
            if !findings.contains(where: { $0.component == finding.component }) {
                findings.append(finding)
            }
        }
        return findings.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element)
    }

    /// The rack of all hosts that cannot be reached, when there are several.
    private static func rack(behind alerts: [Alert], racks: [String: String]) -> String? {
        let lost = Set(
            alerts.filter { $0.name == AlertName.probesLost.rawValue }.compactMap(\.hostName))
        let hit = Set(lost.compactMap { racks[$0] })
        guard lost.count > 1, hit.count == 1 else { return nil }
        return hit.first
    }
}

extension Alert {
    /// The host that it is about, or ends at.
    var hostName: String? {
        (component.host ?? component.ends.first).map(\.path)
    }
}
