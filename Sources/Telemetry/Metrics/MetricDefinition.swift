/// What a metric counts: one entry of a program's catalogue.
public struct MetricDefinition: Sendable, Equatable {
    public enum Form: Sendable, Equatable {
        /// Only grows; begins at 0 with the process.
        case counter
        case gauge
        /// Upper bounds of the buckets, rising; the one without a bound is added.
        case histogram([Double])
    }

    public var form: Form
    /// `seconds`, `bytes`, or what is counted.
    public var unit: String
    public var labels: [String]
    /// One sentence.
    public var help: String

    public init(_ form: Form, _ unit: String, _ help: String) {
        self.init(form, unit, [], help)
    }

    public init(_ form: Form, _ unit: String, _ labels: [String], _ help: String) {
        self.form = form
        self.unit = unit
        self.labels = labels
        self.help = help
    }

    /// From a millisecond, below which nobody waits, to ten seconds, beyond which callers give up.
    public static let latencies: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// As Prometheus names it.
    public var type: String {
        switch form {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

/// The metrics of one program: the only list of them. What is exposed and what is documented come from it.
public protocol MetricKey: RawRepresentable<String>, CaseIterable, Hashable, Sendable
where AllCases == [Self] {
    /// Counts what was folded into `other` because a label had too many values.
    static var folded: Self { get }
    var definition: MetricDefinition { get }
}
