/// Reads VM traces: comma-separated text with a header that names `arrive_s`, `depart_s`, `vcpu` and
/// `mem_gb`, and `batch_id` where a shard is asked for.
///
/// Times are seconds, `mem_gb` is GiB; all may have a fraction. Amounts are rounded up to thousandths of a
/// vCPU and to MiB. Columns come in any order and further ones are ignored; a byte order mark, CRLF, blank
/// lines and quoted fields are accepted.
public struct VMTraceReader: Sendable {
    /// The part of the rows that is kept; nil keeps all.
    public var shard: Shard?
    /// Further columns to keep, where the header names them: what models of lifetimes look at, and
    /// `censored`.
    public var columns: [String]

    public init(shard: Shard? = nil, columns: [String] = []) {
        self.shard = shard
        self.columns = columns
    }

    /// Reads a whole trace, in one pass and without holding its text.
    ///
    /// - Throws: `TraceError` that names file, line, column, value and what was expected.
    public func read(_ source: TraceSource) throws(TraceError) -> VMTrace {
        var parser = TraceParser(file: source.name, shard: shard, columns: columns)
        try source.forEachLine { (number, line) throws(TraceError) in try parser.parse(line, number: number) }
        return try parser.finish()
    }
}
