internal import Foundation
internal import Shim
internal import Synchronization

/// An append-only file of checksummed frames, open for writing by one process at a time.
final class JournalFile: Sendable {
    private enum Medium {
        case file(descriptor: Int32)
        case memory(MemoryDisk, writer: Int)
    }

    let path: String
    private let medium: Medium
    private let length: Mutex<Int>

    /// Bytes of the file.
    var byteCount: Int { length.withLock { $0 } }

    private init(path: String, medium: Medium, length: Int) {
        self.path = path
        self.medium = medium
        self.length = Mutex(length)
    }

    deinit {
        guard case .file(let descriptor) = medium else { return }
        // A child that was just forked holds the descriptor until it executes its program, and the lock with it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Opens or creates the journal, and cuts off a torn last append.
    /// - Parameter disk: keeps it instead of the file system.
    /// - Throws: `JournalError`.
    static func open(
        path: String, on disk: MemoryDisk? = nil
    ) throws -> (file: JournalFile, payloads: [ArraySlice<UInt8>]) {
        if let disk {
            let (writer, payloads) = disk.open(path)
            let file = JournalFile(
                path: path, medium: .memory(disk, writer: writer),
                length: payloads.reduce(0) { $0 + $1.count })
            return (file, payloads.map { $0[...] })
        }
        let descriptor = try openLocked(path: path, flags: O_RDWR | O_CREAT | O_APPEND)
        let file = JournalFile(path: path, medium: .file(descriptor: descriptor), length: 0)
        let contents = try read(path: path)
        guard ftruncate(descriptor, off_t(contents.validLength)) == 0 else {
            throw JournalError.system("ftruncate", path)
        }
        file.length.withLock { $0 = contents.validLength }
        return (file, contents.payloads)
    }

    /// Reads a journal that another process may be writing: a torn end is left out.
    /// - Throws: `JournalError`.
    static func read(path: String) throws -> JournalFrame.Contents {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw JournalError.system("read", path)
        }
        let contents = JournalFrame.decode([UInt8](data))
        guard !contents.isCorrupt else {
            throw JournalError(
                code: .corrupt, path: path,
                message: "the record at byte \(contents.validLength) is damaged and others follow it")
        }
        return contents
    }

    /// Whether a process has the journal open for writing.
    /// - Throws: `JournalError`.
    static func isHeld(path: String) throws -> Bool {
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system("open", path) }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return false }
        guard errno == EWOULDBLOCK else { throw JournalError.system("flock", path) }
        return true
    }

    /// Writes one frame. When it fails the file is as before.
    /// - Parameter durable: wait until it survives a power loss; otherwise it survives the end of the
    ///   process.
    /// - Throws: `JournalError`.
    func append(_ payload: [UInt8], durable: Bool) throws {
        guard !payload.isEmpty else { return }
        let descriptor: Int32
        switch medium {
        case .memory(let disk, let writer):
            try disk.append(payload, to: path, writer: writer)
            return length.withLock { $0 += payload.count }
        case .file(let open): descriptor = open
        }
        let frame = JournalFrame.encode(payload)
        try length.withLock { length in
            do {
                try DurableFile.write(frame, to: descriptor, path: path)
                if durable, fsync(descriptor) != 0 { throw JournalError.system("fsync", path) }
            } catch {
                // Best effort: if it fails too, the next open cuts the torn frame.
                _ = ftruncate(descriptor, off_t(length))
                throw error
            }
            length += frame.count
        }
    }

    /// Puts a journal with `payloads` in the place of the one at `path`, at once or not at all.
    /// - Throws: `JournalError`.
    static func replace(
        path: String, payloads: [[UInt8]], on disk: MemoryDisk? = nil
    ) throws -> JournalFile {
        if let disk {
            return JournalFile(
                path: path, medium: .memory(disk, writer: disk.replace(path, with: payloads)),
                length: payloads.reduce(0) { $0 + $1.count })
        }
        let temporary = path + ".new"
        let descriptor = try openLocked(path: temporary, flags: O_RDWR | O_CREAT | O_APPEND)
        let file = JournalFile(path: path, medium: .file(descriptor: descriptor), length: 0)
        guard ftruncate(descriptor, 0) == 0 else { throw JournalError.system("ftruncate", temporary) }
        var written = 0
        for payload in payloads where !payload.isEmpty {
            let frame = JournalFrame.encode(payload)
            try DurableFile.write(frame, to: descriptor, path: temporary)
            written += frame.count
        }
        guard fsync(descriptor) == 0 else { throw JournalError.system("fsync", temporary) }
        guard rename(temporary, path) == 0 else { throw JournalError.system("rename", path) }
        try DurableFile.syncDirectory(of: path)
        file.length.withLock { $0 = written }
        return file
    }

    private static func openLocked(path: String, flags: Int32) throws -> Int32 {
        let descriptor = Foundation.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw JournalError.system("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw JournalError(code: .locked, path: path, message: "another process writes this journal")
        }
        return descriptor
    }
}
