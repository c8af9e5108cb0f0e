import Foundation

extension TraceSource {
    /// Bytes read at once: large enough that a call costs nothing beside parsing, small enough to stay in
    /// cache.
    private static let chunkBytes = 1 << 18

    /// Calls `body` with the source's bytes from first to last.
    ///
    /// - Throws: `TraceError` of code `unreadable`, and what `body` throws.
    func forEachChunk(_ body: ([UInt8]) throws(TraceError) -> Void) throws(TraceError) {
        switch self {
        case .bytes(let bytes, _):
            try body(bytes)
        case .standardInput:
            try read(FileHandle.standardInput, body)
        case .file(let path):
            guard let handle = FileHandle(forReadingAtPath: path) else {
                throw TraceError(.unreadable, file: path, expected: "a file that exists and may be read")
            }
            try read(handle, body)
        }
    }

    private func read(
        _ handle: FileHandle, _ body: ([UInt8]) throws(TraceError) -> Void
    ) throws(TraceError) {
        while true {
            let chunk: Data?
            do {
                chunk = try handle.read(upToCount: Self.chunkBytes)
            } catch {
                throw TraceError(
                    .unreadable, file: name, expected: "a readable file", cause: error.localizedDescription)
            }
            guard let chunk, !chunk.isEmpty else { return }
            try body([UInt8](chunk))
        }
    }
}
