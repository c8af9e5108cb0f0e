extension TraceSource {
    /// Calls `body` with each line, its number from 1, in one pass and without holding the text.
    ///
    /// - Throws: `TraceError` for what is not plain text, and what `body` throws.
    func forEachLine(_ body: (Int, Span<UInt8>) throws(TraceError) -> Void) throws(TraceError) {
        var lines = LineSplitter(file: name)
        var isFirst = true
        try forEachChunk { (chunk) throws(TraceError) in
            var chunk = chunk
            if isFirst {
                try Compression.refuse(chunk, file: name)
                if chunk.starts(with: [0xEF, 0xBB, 0xBF]) { chunk.removeFirst(3) }
                isFirst = false
            }
            try lines.feed(chunk, body)
        }
        try lines.finish(body)
    }
}

/// Compressed files, known by their first bytes.
enum Compression {
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
