public import AgentProtocol
public import Fleet
internal import Foundation
internal import Shim
internal import Synchronization

/// Reads the pieces that a shim writes, by position since the part's start.
struct PartOutput {
    let directory: String

    private struct Piece {
        var path: String
        var range: Range<Int>
    }

    /// - Parameter hasEnded: nothing more is written; to be known before.
    func read(_ question: LogQuestion, hasEnded: Bool) throws -> LogPiece {
        let pieces = try pieces()
        let (first, end) = (pieces.first?.range.lowerBound ?? 0, pieces.last?.range.upperBound ?? 0)
        let wanted = try question.after ?? question.tailLines.map { try tail($0, pieces) } ?? first
        // A position from before a gap, or from another part's output, is moved to what is there.
        let start = min(max(wanted, first), end)
        var bytes = try bytes(from: start, upTo: LogLimit.pieceBytes, pieces)
        if start + bytes.count < end || !hasEnded { bytes.removeLast(Self.unfinished(bytes)) }
        let next = start + bytes.count
        return LogPiece(
            text: String(decoding: bytes, as: UTF8.self), next: next,
            isCaughtUp: next == end || bytes.isEmpty,
            isEnd: hasEnded && next == end, skippedBytes: question.after.map { max(0, start - $0) } ?? 0)
    }

    private func pieces() throws -> [Piece] {
        let files = FileManager.default
        let names = try files.contentsOfDirectory(atPath: directory)
            .filter { $0.hasPrefix(PartFiles.outputPrefix) }.sorted()
        return names.compactMap { name in
            let path = "\(directory)/\(name)"
            // why `try?`: the oldest piece may go while it is looked at.
            guard let start = Int(name.dropFirst(PartFiles.outputPrefix.count)),
                let size = (try? files.attributesOfItem(atPath: path)[.size]) as? NSNumber
            else { return nil }
            return Piece(path: path, range: start..<(start + size.intValue))
        }
    }

    private func bytes(from start: Int, upTo count: Int, _ pieces: [Piece]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for piece in pieces where piece.range.upperBound > start && bytes.count < count {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: piece.path))
            try file.seek(toOffset: UInt64(max(0, start - piece.range.lowerBound)))
            let room = min(count - bytes.count, piece.range.upperBound - max(start, piece.range.lowerBound))
            bytes += [UInt8](try file.read(upToCount: room) ?? Data())
            try file.close()
        }
        return bytes
    }

    /// Where the last lines begin, as far as they are within what is looked through.
    private func tail(_ lines: Int, _ pieces: [Piece]) throws -> Int {
        let (first, end) = (pieces.first?.range.lowerBound ?? 0, pieces.last?.range.upperBound ?? 0)
        guard lines > 0 else { return end }
        let from = max(first, end - LogLimit.tailBytes)
        let bytes = try bytes(from: from, upTo: end - from, pieces)
        var left = lines
        // A line feed at the very end ends the last line and begins none.
        for index in bytes.indices.dropLast().reversed() where bytes[index] == UInt8(ascii: "\n") {
            left -= 1
            if left == 0 { return from + index + 1 }
        }
        return from
    }

    /// Bytes at the end that begin a character and do not finish it.
    static func unfinished(_ bytes: [UInt8]) -> Int {
        for (back, byte) in bytes.suffix(4).reversed().enumerated() {
            if byte & 0xC0 == 0x80 { continue }
            let length = byte & 0xF8 == 0xF0 ? 4 : byte & 0xF0 == 0xE0 ? 3 : byte & 0xE0 == 0xC0 ? 2 : 1
            return length > back + 1 ? back + 1 : 0
        }
        return 0
    }
}

extension ProcessSubstrate: OutputSource {
    /// Between two looks for output that is waited for.
    private static let lookEvery = Duration.milliseconds(100)

    public func read(_ question: LogQuestion) async throws(RuntimeError) -> LogPiece {
        let wait = Duration.seconds(min(max(0, question.waitSeconds), LogLimit.waitSeconds))
        let deadline = clock.now().advanced(by: wait)
        while true {
            let key = PartKey(host: question.host, allocation: question.allocation)
            guard let part = state.withLock({ $0.parts[key.allocation] }), part.key == key else {
                throw .unknownPart
            }
            do {
                let output = PartOutput(directory: layout.part(key.allocation))
                let piece = try output.read(question, hasEnded: part.isEnded)
                if !piece.text.isEmpty || piece.isEnd || clock.now() >= deadline { return piece }
                try await clock.sleep(until: clock.now().advanced(by: Self.lookEvery))
            } catch {
                throw .indeterminate("the output cannot be read: \(error)")
            }
        }
    }
}
