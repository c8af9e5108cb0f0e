import CZlib

/// The text of a file that may be compressed with gzip.
enum GzipText {
    /// More than ten years of 500 VMs; a slip, or a file made to fill the memory, ends in words.
    static let limit = 1 << 30
    private static let chunkBytes = 1 << 18
    private static let magic: [UInt8] = [0x1F, 0x8B]
    /// The largest window, and 16 for the header of gzip instead of that of zlib.
    private static let windowBits: Int32 = 15 + 16

    /// All bytes of a source, inflated when they are those of gzip.
    ///
    /// - Throws: `TraceError` of codes `unreadable`, `compressed` (damaged, or compressed otherwise) and
    ///   `outOfRange`.
    static func bytes(of source: TraceSource) throws(TraceError) -> [UInt8] {
        var bytes: [UInt8] = []
        try source.forEachChunk { (chunk) throws(TraceError) in
            bytes += chunk
            try check(bytes.count, source)
        }
        if bytes.starts(with: magic) { bytes = try inflated(&bytes, source) }
        try Compression.refuse(bytes, file: source.name)
        return bytes
    }

    private static func inflated(_ bytes: inout [UInt8], _ source: TraceSource) throws(TraceError) -> [UInt8]
    {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw damaged(source, "zlib cannot begin") }
        defer { inflateEnd(&stream) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        var read = 0
        while read < bytes.count {
            let (status, taken, made) = step(&stream, &bytes, from: read, into: &chunk)
            read += taken
            text += chunk[..<made]
            try check(text.count, source)
            switch status {
            case Z_OK: continue
            // A file may have several members, one after another.
            case Z_STREAM_END: inflateReset(&stream)
            case Z_BUF_ERROR: throw damaged(source, "it ends too early")
            default: throw damaged(source, stream.msg.map { String(cString: $0) } ?? "zlib: \(status)")
            }
            if status == Z_STREAM_END, read == bytes.count { return text }
        }
        throw damaged(source, "it ends too early")
    }

    /// Fills `chunk` from the bytes as far as both go.
    private static func step(
        _ stream: inout z_stream, _ bytes: inout [UInt8], from start: Int, into chunk: inout [UInt8]
    ) -> (status: Int32, taken: Int, made: Int) {
        bytes.withUnsafeMutableBufferPointer { input in
            chunk.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress.map { $0 + start }
                stream.avail_in = UInt32(input.count - start)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                let status = inflate(&stream, Z_NO_FLUSH)
                return (
                    status, input.count - start - Int(stream.avail_in), output.count - Int(stream.avail_out)
                )
            }
        }
    }

    private static func check(_ count: Int, _ source: TraceSource) throws(TraceError) {
        guard count <= limit else {
            throw TraceError(.outOfRange, file: source.name, expected: "text of at most \(limit) bytes")
        }
    }

    private static func damaged(_ source: TraceSource, _ cause: String) -> TraceError {
        TraceError(.compressed, file: source.name, expected: "a whole gzip file", cause: cause)
    }
}
