internal import FaultLab
internal import Fleet
internal import Store

/// What monitoring read of a fleet at one moment.
struct FleetReading {
    /// By component and by name of the series.
    var values: [ComponentName: [String: Double]] = [:]

    mutating func set(_ component: ComponentName, _ name: String, _ value: Double) {
        values[component, default: [:]][name] = value
    }

    func value(_ component: ComponentName, _ name: String) -> Double? { values[component]?[name] }
}

/// When a series is a symptom.
struct AlertRule: Sendable {
    var name: AlertName
    var series: String
    var isBad: @Sendable (Double) -> Bool
    var text: String

    static let all = fleet + Surroundings.signals.map { AlertRule($0) }

    private static let fleet = [
        AlertRule(.agentSilent, "agent_heard", below: 1, "no renewal within the lease"),
        AlertRule(.agentDown, "agent_process", below: 1, "no process"),
        AlertRule(.agentStopped, "agent_stopped", from: 1, "the process is stopped"),
        AlertRule(.hostDown, "host_power", below: 1, "the power is off"),
        AlertRule(.hostUnreachable, "host_answers", below: 1, "no answer on its own address"),
        AlertRule(.probesLost, "probe_loss", from: 0.2, "probes are lost"),
        AlertRule(.answersLost, "probe_answer_loss", from: 0.5, "probes arrive, answers do not"),
        AlertRule(.probesSlow, "probe_seconds", from: 1, "probes take seconds"),
        AlertRule(.probesDoubled, "probe_doubled", from: 0.2, "probes arrive twice"),
        AlertRule(.clockOff, "clock_offset_seconds", beyond: 1, "the clock is off"),
        AlertRule(.inventoryShrunk, "inventory_share", below: 0.999, "reports less than it did"),
        AlertRule(
            .labelDrift, "label_as_declared", below: 1,
            "declared \(ProblemFleet.declaredLabel.key)=\(ProblemFleet.declaredLabel.value)"),
        AlertRule(.startsFail, "starts_failed", from: 1, "starts are refused"),
        AlertRule(.vmRestarts, "vm_restarts", from: 2, "ended by itself again and again"),
        AlertRule(
            .ratioOutOfBounds, "cpu_ratio", from: Double(ProblemFleet.largestRatio) + 1,
            "sells cores beyond what is allowed"),
        AlertRule(.controllerDown, "controller_up", below: 1, "no process"),
        AlertRule(.controllerStopped, "controller_stopped", from: 1, "the process is stopped"),
        AlertRule(.databaseDown, "db_up", below: 1, "does not answer"),
        AlertRule(.databaseReadOnly, "db_writable", below: 1, "refuses to write"),
        AlertRule(.databaseSlow, "db_call_seconds", from: 0.5, "statements are slow"),
        AlertRule(.databaseConflicts, "db_conflicts", from: 0.2, "transactions are given up"),
        AlertRule(.databaseCommitsBreak, "db_broken_commits", from: 0.2, "connections break at commit"),
    ]

    init(name: AlertName, series: String, isBad: @escaping @Sendable (Double) -> Bool, text: String) {
        (self.name, self.series, self.isBad, self.text) = (name, series, isBad, text)
    }

    private init(_ name: AlertName, _ series: String, below limit: Double, _ text: String) {
        (self.name, self.series, self.text) = (name, series, text)
        isBad = { $0 < limit }
    }

    private init(_ name: AlertName, _ series: String, from limit: Double, _ text: String) {
        (self.name, self.series, self.text) = (name, series, text)
        isBad = { $0 >= limit }
    }

    private init(_ name: AlertName, _ series: String, beyond limit: Double, _ text: String) {
        (self.name, self.series, self.text) = (name, series, text)
        isBad = { abs($0) > limit }
    }
}
