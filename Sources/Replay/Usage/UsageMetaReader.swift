internal import Oversubscription

/// Reads sizes of VMs: a header that names `vm`, `first_ts` and `cores_first`, then a line per VM.
///
/// One file may hold several traces: a line counts for the series of its name that begins at `first_ts`.
public struct UsageMetaReader: Sendable {
    private static let columns = ["vm", "first_ts", "cores_first"]

    public init() {}

    /// - Returns: the trace with the cores of the file; a VM that it does not name keeps its own.
    /// - Throws: `TraceError` for the first line that is not as described.
    public func applying(_ source: TraceSource, to trace: UsageTrace) throws(TraceError) -> UsageTrace {
        let cores = try read(source)
        let series = trace.series.map { series in
            var series = series
            if let found = cores[Key(name: series.name, start: series.startSeconds)] { series.cores = found }
            return series
        }
        return UsageTrace(series: series, stepSeconds: trace.stepSeconds)
    }

    private struct Key: Hashable {
        var name: String
        var start: Int
    }

    private func read(_ source: TraceSource) throws(TraceError) -> [Key: Double] {
        let text = TraceSource.bytes(try GzipText.bytes(of: source), name: source.name)
        var fields = RowFields(file: source.name)
        var cores: [Key: Double] = [:]
        try text.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.columns) else { return }
            let start = try fields.number(1, line, number, expected: "seconds from 0 on")
            let value = try fields.number(2, line, number, expected: "a number of cores from 0 on")
            let key = Key(name: fields.text(0, line), start: Int(start / DecimalField.one))
            cores[key] = Double(value) / Double(DecimalField.one)
        }
        try fields.requireHeader(Self.columns)
        return cores
    }
}
