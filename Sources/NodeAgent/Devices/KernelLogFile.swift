internal import Foundation

/// A file that the kernel's log is written to, or that stands for it.
///
/// Only whole lines are taken: what is not ended yet is read when it is. A file that was replaced or cut is
/// read from its beginning, and of one that was moved to `NAME.1` the rest is read first.
public struct KernelLogFile: KernelLog {
    private let path: String

    public init(path: String) { self.path = path }

    public func read(after cursor: KernelLogCursor?, bootID: String) throws -> KernelLogBatch {
        guard let identity = try Self.identity(of: path) else {
            return KernelLogBatch(lines: [], cursor: cursor)
        }
        var start: UInt64 = 0
        if let cursor {
            if cursor.file == identity.inode, cursor.position <= identity.size {
                start = cursor.position
            } else if let rest = try rest(of: cursor), !rest.lines.isEmpty {
                return rest
            }
        }
        return try batch(path, from: start, file: identity.inode, bootID: bootID)
    }

    /// What is left in the file that was moved away.
    private func rest(of cursor: KernelLogCursor) throws -> KernelLogBatch? {
        let moved = path + ".1"
        guard let identity = try Self.identity(of: moved), identity.inode == cursor.file,
            cursor.position < identity.size
        else { return nil }
        return try batch(moved, from: cursor.position, file: identity.inode, bootID: cursor.bootID)
    }

    private func batch(
        _ path: String, from start: UInt64, file: UInt64, bootID: String
    ) throws -> KernelLogBatch {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw JournalError.system("open", path)
        }
        defer { try? handle.close() }  // why: nothing was written
        try handle.seek(toOffset: start)
        let data = try handle.read(upToCount: KernelLogLimit.bytes) ?? Data()
        var (lines, taken): ([String], Int) = ([], 0)
        for (offset, byte) in data.enumerated() where byte == UInt8(ascii: "\n") {
            guard lines.count < KernelLogLimit.lines else { break }
            let line = data[data.startIndex + taken..<data.startIndex + offset]
            lines.append(String(decoding: line, as: UTF8.self))
            taken = offset + 1
        }
        // A line that fills a whole look has no end to wait for.
        if lines.isEmpty, data.count == KernelLogLimit.bytes { taken = data.count }
        return KernelLogBatch(
            lines: lines,
            cursor: KernelLogCursor(bootID: bootID, position: start + UInt64(taken), file: file))
    }

    /// Nil of a file that is not there.
    private static func identity(of path: String) throws -> (inode: UInt64, size: UInt64)? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw JournalError.system("stat", path)
        }
        return (UInt64(status.st_ino), UInt64(status.st_size))
    }
}
