/// A file of an export.
public struct ExportFile: Sendable, Hashable {
    /// Below the folder of the export.
    public var path: String
    public var contents: String
}

/// What a fleet said of itself during a session.
public struct SessionTelemetry: Sendable, Hashable {
    public var series: [MetricSeries]
    public var logs: [LogLine]
    public var spans: [TraceSpan]

    public init(series: [MetricSeries] = [], logs: [LogLine] = [], spans: [TraceSpan] = []) {
        self.series = series
        self.logs = logs
        self.spans = spans
    }
}
