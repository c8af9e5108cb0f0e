/// Reads VM traces: comma-separated text with a header that names `arrive_s`, `depart_s`, `vcpu` and
/// `mem_gb`, and `batch_id` where a shard is asked for.
///
/// Times are seconds, `mem_gb` is GiB; all may have a fraction. Amounts are rounded up to thousandths of a
/// vCPU and to MiB. Columns come in any order and further ones are ignored; a byte order mark, CRLF, blank
/// lines and quoted fields are accepted.
public struct VMTraceReader: Sendable {
    /// The part of the rows that is kept; nil keeps all.
    public var shard: Shard?

    public init(shard: Shard? = nil) { self.shard = shard }

    /// Reads a whole trace, in one pass and without holding its text.
    ///
    /// - Throws: `TraceError` that names file, line, column, value and what was expected.
    public func read(_ source: TraceSource) throws(TraceError) -> VMTrace {
        var parser = TraceParser(file: source.name, shard: shard)
        var lines = LineSplitter(file: source.name)
        var isFirst = true
        try source.forEachChunk { (chunk) throws(TraceError) in
            var chunk = chunk
            if isFirst {
                try Compression.refuse(chunk, file: source.name)
                if chunk.starts(with: [0xEF, 0xBB, 0xBF]) { chunk.removeFirst(3) }
                isFirst = false
            }
            try lines.feed(chunk) { (number, line) throws(TraceError) in
                try parser.parse(line, number: number)
            }
        }
        try lines.finish { (number, line) throws(TraceError) in try parser.parse(line, number: number) }
        return try parser.finish()
    }
}

/// Compressed files, known by their first bytes.
private enum Compression {
    private static let known: [(magic: [UInt8], tool: String)] = [
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xzcat"), ([0x1F, 0x8B], "zcat"),
        ([0x28, 0xB5, 0x2F, 0xFD], "zstdcat"),
        ([0x42, 0x5A, 0x68], "bzcat"),
    ]

    static func refuse(_ chunk: [UInt8], file: String) throws(TraceError) {
        guard let found = known.first(where: { chunk.starts(with: $0.magic) }) else { return }
        throw TraceError(
            .compressed, file: file,
            expected: "plain text (pipe it: `\(found.tool) FILE |` and give - as the file)")
    }
}
