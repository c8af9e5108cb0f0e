internal import FaultLab
internal import Fleet

/// Keeps what was read, and says which alerts fire. Like the monitoring of a real fleet it knows series, and
/// no causes.
struct FleetMonitor {
    /// Between two readings.
    static let step = 15
    /// For how long a symptom must last: two readings in a row.
    private static let patience = 2
    /// Readings that are kept: more than any agent may look back.
    private static let kept = 6 * 3600 / step

    private var series: [ComponentName: [String: MetricSeries]] = [:]
    private var bad: [Key: (since: Timestamp, readings: Int)] = [:]
    var silenced: Set<String> = []

    private struct Key: Hashable {
        var component: ComponentName
        var rule: Int
    }

    mutating func take(_ reading: FleetReading, at now: Timestamp) {
        for (component, values) in reading.values {
            for (name, value) in values {
                var kept =
                    series[component]?[name]
                    ?? MetricSeries(
                        name: name, component: component, start: now, stepSeconds: Self.step, values: [])
                kept.values.append(value)
                if kept.values.count > Self.kept {
                    kept.values.removeFirst()
                    kept.start = kept.time(of: 1)
                }
                series[component, default: [:]][name] = kept
            }
        }
        judge(reading, at: now)
    }

    private mutating func judge(_ reading: FleetReading, at now: Timestamp) {
        for (index, rule) in AlertRule.all.enumerated() {
            for (component, values) in reading.values {
                guard let value = values[rule.series] else { continue }
                let key = Key(component: component, rule: index)
                if rule.isBad(value) {
                    let before = bad[key] ?? (now, 0)
                    bad[key] = (before.since, before.readings + 1)
                } else {
                    bad[key] = nil
                }
            }
        }
    }

    /// The oldest first.
    var alerts: [Alert] {
        bad.filter { $0.value.readings >= Self.patience }
            .map { key, value in
                let rule = AlertRule.all[key.rule]
                return Alert(
                    name: rule.name.rawValue, component: key.component, since: value.since, text: rule.text)
            }
            .filter { !silenced.contains($0.name) }
            .sorted { ($0.since, $0.component, $0.name) < ($1.since, $1.component, $1.name) }
    }

    /// Nil of what was never read.
    func last(_ component: ComponentName, _ name: String) -> Double? { series[component]?[name]?.values.last }

    /// All series, by component and name.
    var all: [MetricSeries] {
        series.sorted { $0.key < $1.key }.flatMap { $0.value.sorted { $0.key < $1.key }.map(\.value) }
    }
}
