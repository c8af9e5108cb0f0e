internal import DeviceHealth
internal import Foundation
internal import Synchronization

/// Keeps what is known of a host's devices over a restart of the agent.
///
/// The cursor of the log and what followed from the lines before it are one file: no line counts twice, and
/// none is passed over.
public struct DeviceHealthMemory: Sendable {
    struct Contents: Codable {
        var cursor: KernelLogCursor?
        var model: DeviceHealthModel
    }

    let load: @Sendable () throws -> Data?
    let store: @Sendable ([UInt8]) throws -> Void

    /// A file that is replaced as a whole.
    public static func file(_ path: String) -> DeviceHealthMemory {
        DeviceHealthMemory(
            load: {
                guard FileManager.default.fileExists(atPath: path) else { return nil }
                guard let data = FileManager.default.contents(atPath: path) else {
                    throw JournalError.system("read", path)
                }
                return data
            },
            store: { try DurableFile.replace(path: path, with: $0) })
    }

    /// Of a simulated machine, whose disk outlives its agents.
    public final class Slot: Sendable {
        fileprivate let bytes = Mutex<[UInt8]?>(nil)
        public init() {}
    }

    public static func memory(_ slot: Slot) -> DeviceHealthMemory {
        DeviceHealthMemory(
            load: { slot.bytes.withLock { $0.map { Data($0) } } },
            store: { bytes in slot.bytes.withLock { $0 = bytes } })
    }

    /// - Throws: `JournalError` when there is something that cannot be read; nothing is forgotten then.
    func read() throws -> Contents {
        guard let data = try load() else { return Contents(cursor: nil, model: DeviceHealthModel()) }
        do {
            return try JSONDecoder().decode(Contents.self, from: data)
        } catch {
            throw JournalError(code: .unreadable, path: "device health", message: "\(error)")
        }
    }

    func write(_ contents: Contents) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try store([UInt8](try encoder.encode(contents)))
    }
}
