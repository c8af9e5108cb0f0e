internal import Foundation
internal import Synchronization

/// The kernel's own log, `/dev/kmsg`: one record a read, with a number that tells what was missed.
public final class KernelMessages: KernelLog {
    public static let standardPath = "/dev/kmsg"
    /// The kernel's longest record with its dictionary, bytes.
    private static let recordLimit = 8192

    private let path: String
    /// Open from the first look on: a new one begins with the oldest record. -1 before.
    private let descriptor = Mutex<Int32>(-1)

    public init(path: String = standardPath) { self.path = path }

    deinit { descriptor.withLock { if $0 >= 0 { close($0) } } }

    /// Whether this process may read it.
    public static var isReadable: Bool { access(standardPath, R_OK) == 0 }

    public func read(after cursor: KernelLogCursor?, bootID: String) throws -> KernelLogBatch {
        let known = cursor.flatMap { $0.bootID == bootID ? $0 : nil }
        return try descriptor.withLock { descriptor in
            if descriptor < 0 {
                descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                guard descriptor >= 0 else { throw JournalError.system("open", path) }
            }
            return try Self.read(descriptor, path, after: known, bootID: bootID)
        }
    }

    private static func read(
        _ descriptor: Int32, _ path: String, after cursor: KernelLogCursor?, bootID: String
    ) throws -> KernelLogBatch {
        var batch = KernelLogBatch(lines: [], cursor: cursor)
        var buffer = [UInt8](repeating: 0, count: recordLimit)
        while batch.lines.count < KernelLogLimit.lines {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                switch errno {
                case EINTR, EPIPE: continue  // The numbers tell how many records are gone.
                case EAGAIN: return batch
                default: throw JournalError.system("read", path)
                }
            }
            guard count > 0 else { return batch }
            guard let (number, line) = record(String(decoding: buffer[..<count], as: UTF8.self)) else {
                continue
            }
            if let last = batch.cursor?.position {
                guard number > last else { continue }
                batch.lost += Int(clamping: number - last - 1)
            }
            batch.cursor = KernelLogCursor(bootID: bootID, position: number)
            batch.lines.append(line)
        }
        return batch
    }

    /// `6,1234,98765,-;text`, followed by lines of a dictionary.
    static func record(_ text: String) -> (number: UInt64, line: String)? {
        guard let semicolon = text.firstIndex(of: ";") else { return nil }
        let fields = text[..<semicolon].split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 3, let number = UInt64(fields[1]) else { return nil }
        let line = text[text.index(after: semicolon)...].prefix { $0 != "\n" }
        return (number, String(line))
    }
}
