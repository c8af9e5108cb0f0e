public import Fleet
internal import Synchronization

/// What a program said and did of late, for whoever asks it: log lines, spans and samples of metrics, each
/// bounded, so that it costs the same memory after a year as after an hour.
public final class SignalBuffer: Sendable {
    public enum Limit {
        /// At most some 10 MB with the longest lines.
        public static let logs = 5000
        /// Characters of a line with its fields.
        public static let line = 2000
        public static let spans = 5000
        /// Samples of every series: an hour.
        public static let samples = 240
        /// Series that are sampled; the catalogue's first.
        public static let series = 1000
    }

    /// How often metrics are sampled.
    public static let sampleEvery = Duration.seconds(15)

    public struct Line: Sendable, Hashable {
        public var at: Timestamp
        public var level: String
        /// Module that spoke.
        public var component: String
        public var message: String

        public init(at: Timestamp, level: String, component: String, message: String) {
            self.at = at
            self.level = level
            self.component = component
            self.message = String(message.prefix(Limit.line))
        }
    }

    public struct Span: Sendable, Hashable {
        public var at: Timestamp
        public var component: String
        public var name: String
        public var milliseconds: Double
        public var error: String?
        /// What belongs together: the id of a request or a plan.
        public var trace: String?

        public init(
            at: Timestamp, component: String, name: String, milliseconds: Double, error: String? = nil,
            trace: String? = nil
        ) {
            self.at = at
            self.component = component
            self.name = name
            self.milliseconds = milliseconds
            self.error = error
            self.trace = trace
        }
    }

    /// One look at all series.
    public struct Sample: Sendable, Hashable {
        public var at: Timestamp
        public var values: [String: Double]
    }

    private struct State {
        var lines = Ring<Line>(limit: Limit.logs)
        var spans = Ring<Span>(limit: Limit.spans)
        var samples = Ring<Sample>(limit: Limit.samples)
    }

    private let state = Mutex(State())

    public init() {}

    public func add(_ line: Line) { state.withLock { _ = $0.lines.append(line) } }
    public func add(_ span: Span) { state.withLock { _ = $0.spans.append(span) } }

    /// - Parameter series: in the order of the catalogue; what is beyond the limit is left out.
    public func sample(_ series: [(name: String, value: Double)], at now: Timestamp) {
        let values = Dictionary(
            series.prefix(Limit.series).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        state.withLock { _ = $0.samples.append(Sample(at: now, values: values)) }
    }

    /// Oldest first, as are spans and samples.
    public var lines: [Line] { state.withLock { $0.lines.all } }
    public var spans: [Span] { state.withLock { $0.spans.all } }
    public var samples: [Sample] { state.withLock { $0.samples.all } }
}

extension MetricRegistry {
    /// Every number by its name with labels, as Prometheus writes it; histograms by count and sum.
    public var series: [(name: String, value: Double)] {
        text.split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("#"), !line.contains("_bucket{"), let space = line.lastIndex(of: " "),
                let value = Double(line[line.index(after: space)...]), value.isFinite
            else { return nil }
            return (String(line[..<space]), value)
        }
    }
}
