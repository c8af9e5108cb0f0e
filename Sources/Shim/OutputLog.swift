internal import Glibc

/// The output of a command in pieces of bounded size.
///
/// A disk that takes no more drops output, never the command.
struct OutputLog {
    private let pieceBytes: Int
    private let pieces: Int
    private var descriptor: Int32 = -1
    /// Bytes so far, in all and in the present piece.
    private var position = 0
    private var written = 0
    /// Where the pieces that are kept begin.
    private var starts: [Int] = []

    init(pieceBytes: Int, pieces: Int) {
        self.pieceBytes = max(1, pieceBytes)
        self.pieces = max(1, pieces)
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            if descriptor < 0 || written >= pieceBytes { begin() }
            guard descriptor >= 0 else { return }
            let piece = rest.prefix(max(1, pieceBytes - written))
            guard (try? Files.write(piece, to: descriptor, named: PartFiles.outputPrefix)) != nil else {
                // What was written of it counts: names stay true to the bytes in the files.
                let length = Int(lseek(descriptor, 0, SEEK_END))
                position += max(0, length - written)
                written = max(written, length)
                return
            }
            written += piece.count
            position += piece.count
            rest = rest.dropFirst(piece.count)
        }
    }

    private mutating func begin() {
        if descriptor >= 0 { close(descriptor) }
        let name = PartFiles.output(from: position)
        descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        written = 0
        guard descriptor >= 0 else { return }
        starts.append(position)
        while starts.count > pieces { unlink(PartFiles.output(from: starts.removeFirst())) }
    }
}
