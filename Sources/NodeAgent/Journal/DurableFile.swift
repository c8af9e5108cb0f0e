internal import Foundation

/// Small files that are replaced as a whole.
enum DurableFile {
    /// The file has the old or the new content at any time; returns when the new one survives a power loss.
    /// - Throws: `JournalError` with code `system`.
    static func replace(path: String, with bytes: [UInt8]) throws {
        let temporary = path + ".new"
        let descriptor = Foundation.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw JournalError.system("open", temporary) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, path: temporary)
        guard fsync(descriptor) == 0 else { throw JournalError.system("fsync", temporary) }
        guard rename(temporary, path) == 0 else { throw JournalError.system("rename", path) }
        try syncDirectory(of: path)
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws {
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw JournalError.system("write", path) }
            start += count
        }
    }

    /// Makes the directory's entry for `path` durable.
    static func syncDirectory(of path: String) throws {
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let joined = directory.joined(separator: "/")
        let name = directory.isEmpty ? "." : joined.isEmpty ? "/" : joined
        let descriptor = Foundation.open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system("open", name) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw JournalError.system("fsync", name) }
    }
}

extension JournalError {
    static func system(_ call: String, _ path: String) -> JournalError {
        JournalError(code: .system, path: path, message: "\(call): errno \(errno)")
    }
}
