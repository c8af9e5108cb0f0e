public import Fleet

/// One number over time, at even steps.
public struct MetricSeries: Sendable, Hashable, Codable {
    public var name: String
    public var component: ComponentName
    /// Of the first value.
    public var start: Timestamp
    public var stepSeconds: Int
    public var values: [Double]

    public init(
        name: String, component: ComponentName, start: Timestamp, stepSeconds: Int, values: [Double]
    ) {
        self.name = name
        self.component = component
        self.start = start
        self.stepSeconds = stepSeconds
        self.values = values
    }

    /// Time of a value by its place.
    public func time(of index: Int) -> Timestamp {
        start.advanced(by: .seconds(index * stepSeconds))
    }

    /// The values from a time on.
    public func since(_ time: Timestamp) -> MetricSeries {
        let passed = time.since(start).inSeconds / Double(max(1, stepSeconds))
        let first = min(values.count, max(0, Int(passed.rounded(.up))))
        return MetricSeries(
            name: name, component: component, start: self.time(of: first), stepSeconds: stepSeconds,
            values: Array(values[first...]))
    }
}

/// A series in a few numbers: whole series drown a reader.
public struct MetricSummary: Sendable, Hashable, Codable {
    /// Points kept: what fits a line.
    public static let mostPoints = 60

    public var name: String
    public var component: ComponentName
    public var least: Double
    public var median: Double
    public var high: Double
    public var most: Double
    public var last: Double
    /// Evenly thinned, the last value always among them.
    public var points: [Double]
    /// Of the last value, and between two points.
    public var end: Timestamp
    public var stepSeconds: Int

    /// Nil of a series without values.
    public init?(_ series: MetricSeries) {
        let sorted = series.values.filter(\.isFinite).sorted()
        guard let least = sorted.first, let most = sorted.last, let last = series.values.last else {
            return nil
        }
        name = series.name
        component = series.component
        self.least = least
        self.most = most
        self.last = last
        median = sorted[(sorted.count - 1) / 2]
        high = sorted[Int((Double(sorted.count - 1) * 0.95).rounded(.up))]
        let stride = max(1, (series.values.count + Self.mostPoints - 1) / Self.mostPoints)
        let newest = series.values.count - 1
        points = series.values.indices.filter { (newest - $0) % stride == 0 }.map { series.values[$0] }
        end = series.time(of: newest)
        stepSeconds = stride * series.stepSeconds
    }
}
