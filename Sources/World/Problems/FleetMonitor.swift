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
                let empty = MetricSeries(
                    name: name, component: component, start: now, stepSeconds: Self.step, values: [])
                Self.keep(value, in: &series[component, default: [:]][name, default: empty])
                for rule in Self.rules[name] ?? [] { judge(value, by: rule, of: component, at: now) }
            }
        }
    }

    private static func keep(_ value: Double, in series: inout MetricSeries) {
        series.values.append(value)
        if series.values.count > kept {
            series.values.removeFirst()
            series.start = series.time(of: 1)
        }
    }

    private mutating func judge(_ value: Double, by rule: Int, of component: ComponentName, at now: Timestamp)
    {
        let key = Key(component: component, rule: rule)
        if AlertRule.all[rule].isBad(value) {
            bad[key, default: (now, 0)].readings += 1
        } else {
            bad[key] = nil
        }
    }

    /// Indices of the rules that go by a series.
    private static let rules = Dictionary(grouping: AlertRule.all.indices) { AlertRule.all[$0].series }

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
