/// Cuts a stream of chunks into lines.
struct LineSplitter: ~Copyable {
    /// A line of a trace is tens of bytes; one of this length means that the file is not text.
    static let lineLimit = 1 << 16

    let file: String
    /// The beginning of a line whose end is in a later chunk.
    private var rest: [UInt8] = []
    /// Lines given out so far.
    private(set) var line = 0

    init(file: String) { self.file = file }

    /// Calls `body` for each line that ends in `chunk`, with its number from 1 and without its line break.
    mutating func feed(
        _ chunk: [UInt8], _ body: (Int, Span<UInt8>) throws(TraceError) -> Void
    ) throws(TraceError) {
        let bytes = chunk.span
        var start = 0
        var index = 0
        while index < bytes.count {
            defer { index += 1 }
            guard bytes[index] == UInt8(ascii: "\n") else { continue }
            line += 1
            if rest.isEmpty {
                try body(line, bytes.extracting(start..<index))
            } else {
                for index in start..<index { rest.append(bytes[index]) }
                try body(line, rest.span)
                rest.removeAll(keepingCapacity: true)
            }
            start = index + 1
        }
        for index in start..<bytes.count { rest.append(bytes[index]) }
        guard rest.count <= Self.lineLimit else {
            throw TraceError(
                .lineTooLong, file: file, line: line + 1,
                expected: "a line of at most \(Self.lineLimit) bytes")
        }
    }

    /// The last line when no line break follows it.
    mutating func finish(_ body: (Int, Span<UInt8>) throws(TraceError) -> Void) throws(TraceError) {
        guard !rest.isEmpty else { return }
        line += 1
        try body(line, rest.span)
        rest = []
    }
}
