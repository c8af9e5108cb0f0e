internal import Glibc

/// The output of a command in pieces of bounded size.
///
/// A disk that takes no more drops output, never the command.
struct OutputLog {
    private let pieceBytes: Int64
    private let pieces: Int
    private var descriptor: Int32 = -1
    private var written: Int64 = 0

    init(pieceBytes: Int64, pieces: Int) {
        self.pieceBytes = max(1, pieceBytes)
        self.pieces = max(1, pieces)
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            if descriptor >= 0, written >= pieceBytes { rotate() }
            if descriptor < 0 { open() }
            guard descriptor >= 0 else { return }
            let piece = rest.prefix(Int(max(1, pieceBytes - written)))
            guard (try? Files.write(piece, to: descriptor, named: PartFiles.output)) != nil else { return }
            written += Int64(piece.count)
            rest = rest.dropFirst(piece.count)
        }
    }

    private mutating func open() {
        descriptor = Glibc.open(PartFiles.output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        written = descriptor < 0 ? 0 : Int64(lseek(descriptor, 0, SEEK_END))
    }

    private mutating func rotate() {
        close(descriptor)
        descriptor = -1
        if pieces == 1 {
            unlink(PartFiles.output)
            return
        }
        for number in stride(from: pieces - 1, to: 1, by: -1) {
            rename("\(PartFiles.output).\(number - 1)", "\(PartFiles.output).\(number)")
        }
        rename(PartFiles.output, "\(PartFiles.output).1")
    }
}
