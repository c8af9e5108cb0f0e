internal import DeviceHealth
internal import Fleet
internal import Telemetry

extension Agent {
    /// The agent's metrics in Prometheus' text format.
    public var exposition: String {
        let metrics = metrics
        calls.set(.info, [ProductVersion.current, ProductVersion.build], to: 1)
        let numbers: [(AgentMetric, Int)] = [
            (.retries, metrics.retries), (.hellos, metrics.hellos), (.reportsSent, metrics.reportsSent),
            (.reportsAcknowledged, metrics.reportsAcknowledged), (.partsRunning, metrics.partsRunning),
            (.partStarts, metrics.startsIssued), (.partStops, metrics.stopsIssued),
            (.partFailures, metrics.startsFailed), (.partsRefused, metrics.partsRefused),
            (.ledgerBytes, metrics.ledgerBytes), (.ledgerCompactions, metrics.ledgerCompactions),
        ]
        for (key, value) in numbers { calls.set(key, to: Double(value)) }
        let assignments = [
            ("accepted", metrics.assignmentsAccepted), ("repeated", metrics.assignmentsRepeated),
            ("older", metrics.refusedOlder), ("hash", metrics.refusedHash), ("other", metrics.refusedOther),
        ]
        for (outcome, value) in assignments { calls.set(.assignments, [outcome], to: Double(value)) }
        if let devices { expose(devices) }
        return calls.text
    }

    private func expose(_ devices: DeviceHealthWatch) {
        let tally = devices.tally
        for (code, count) in tally.xids { calls.set(.xids, ["\(code)"], to: Double(count)) }
        calls.set(.kernelLogLost, to: Double(tally.lost))
        calls.set(.kernelLogMalformed, to: Double(tally.malformed))
        calls.set(.xidStrangers, to: Double(tally.strangers.values.reduce(0, +)))
        let health = devices.health
        for word in Device.Health.allCases {
            calls.set(.devices, [word.rawValue], to: Double(health[word] ?? 0))
        }
    }

    /// A poll waits by intention; its time says nothing.
    func note(_ call: AgentCall, took time: Duration) {
        if case .poll = call { return }
        calls.observe(.callSeconds, [call.name], time.inSeconds)
    }
}

extension AgentCall {
    /// In metrics, without the incarnation.
    var name: String {
        switch self {
        case .hello: "hello"
        case .poll: "poll"
        case .report: "report"
        }
    }
}
