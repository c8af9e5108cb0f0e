internal import Synchronization

/// The values of one program's metrics. Labels are given by their values, in the order of the catalogue.
public final class MetricRegistry<Key: MetricKey>: Sendable {
    /// Label values of one metric. Names of cells and transactions stay far below; a fault must not fill the
    /// memory of whoever scrapes.
    public static var seriesLimit: Int { 1000 }
    /// Stands for the label values beyond the limit.
    static var other: String { "other" }

    enum Value: Sendable {
        case number(Double)
        case histogram(HistogramSeries)
    }

    private let values = Mutex<[Key: [[String]: Value]]>([:])

    public init() {}

    public func add(_ key: Key, _ labels: [String] = [], by amount: Double = 1) {
        change(key, labels, from: .number(0)) { value in
            if case .number(let before) = value { value = .number(before + amount) }
        }
    }

    /// A gauge, or a counter that is kept elsewhere.
    public func set(_ key: Key, _ labels: [String] = [], to value: Double) {
        change(key, labels, from: .number(value)) { $0 = .number(value) }
    }

    public func observe(_ key: Key, _ labels: [String] = [], _ value: Double) {
        guard case .histogram(let bounds) = key.definition.form else {
            preconditionFailure("\(key.rawValue) is no histogram")
        }
        change(key, labels, from: .histogram(HistogramSeries(bounds: bounds))) { slot in
            guard case .histogram(var series) = slot else { return }
            // Its counts would be copied if the slot kept them.
            slot = .number(0)
            series.observe(value)
            slot = .histogram(series)
        }
    }

    /// A histogram that is kept elsewhere.
    public func set(_ key: Key, _ labels: [String], to series: HistogramSeries) {
        change(key, labels, from: .histogram(series)) { $0 = .histogram(series) }
    }

    /// Replaces the gauges whose first label is `first`; those that are not named are gone.
    public func replace(_ key: Key, first: String, with series: [[String]: Double]) {
        values.withLock { values in
            values[key] = values[key]?.filter { $0.key.first != first }
            for (labels, value) in series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                let labels = Self.room(for: [first] + labels, key, &values)
                values[key, default: [:]][labels] = .number(value)
            }
        }
    }

    /// Changes a value where it stands; finding it is most of the cost.
    private func change(
        _ key: Key, _ labels: [String], from initial: @autoclosure () -> Value, _ body: (inout Value) -> Void
    ) {
        values.withLock { values in
            if let metric = values.index(forKey: key),
                let series = values.values[metric].index(forKey: labels)
            {
                body(&values.values[metric].values[series])
            } else {
                let labels = Self.room(for: labels, key, &values)
                body(&values[key, default: [:]][labels, default: initial()])
            }
        }
    }

    private static func room(
        for labels: [String], _ key: Key, _ values: inout [Key: [[String]: Value]]
    ) -> [String] {
        let wanted = key.definition.labels.count
        precondition(labels.count == wanted, "\(key.rawValue) has \(wanted) labels, not \(labels.count)")
        guard !labels.isEmpty, values[key]?[labels] == nil, (values[key]?.count ?? 0) >= seriesLimit else {
            return labels
        }
        var folds = 0.0
        if case .number(let before) = values[Key.folded]?[[key.rawValue]] { folds = before }
        values[Key.folded, default: [:]][[key.rawValue]] = .number(folds + 1)
        return labels.map { _ in other }
    }

    var snapshot: [Key: [[String]: Value]] { values.withLock { $0 } }
}
