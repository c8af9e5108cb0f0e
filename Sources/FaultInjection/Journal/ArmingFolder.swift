internal import FaultLab
internal import Foundation

/// The injections of one machine, a file each. Whoever changes or takes one back holds its lock.
public struct ArmingFolder: Sendable {
    public let path: String

    /// - Parameter path: state directory of the injector; made when absent.
    public init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: path + "/armings", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    private var folder: String { path + "/armings" }
    private func file(_ id: String) -> String { "\(folder)/\(id).json" }

    /// Holds the lock until it is let go of, at the latest with the process.
    final class Lock {
        private let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// Returns when the file survives a power loss; its lock is held from before it is seen.
    func write(_ arming: Arming) throws -> Lock {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = [UInt8](try encoder.encode(arming))
        let draft = "\(folder)/.\(arming.id).new"
        let descriptor = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw InjectionError.system("open", draft) }
        let lock = Lock(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw InjectionError.system("flock", draft) }
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { throw InjectionError.system("write", draft) }
            start += count
        }
        guard fsync(descriptor) == 0 else { throw InjectionError.system("fsync", draft) }
        guard rename(draft, file(arming.id)) == 0 else { throw InjectionError.system("rename", draft) }
        try sync()
        return lock
    }

    /// Nil when another process has it in hand, or it is gone.
    func take(_ id: String) throws -> (arming: Arming, lock: Lock)? {
        let descriptor = open(file(id), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw InjectionError.system("open", file(id))
        }
        let lock = Lock(descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return nil }
        guard let data = FileManager.default.contents(atPath: file(id)) else { return nil }
        return (try JSONDecoder().decode(Arming.self, from: data), lock)
    }

    func remove(_ id: String) throws {
        guard unlink(file(id)) == 0 || errno == ENOENT else {
            throw InjectionError.system("unlink", file(id))
        }
        try sync()
    }

    func holds(_ id: String) -> Bool { FileManager.default.fileExists(atPath: file(id)) }

    /// Sorted.
    public func ids() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// Everything that is on disk, whoever has it in hand.
    public func all() throws -> [Arming] {
        try ids().compactMap { id in
            guard let data = FileManager.default.contents(atPath: file(id)) else { return nil }
            return try JSONDecoder().decode(Arming.self, from: data)
        }
    }

    private func sync() throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InjectionError.system("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw InjectionError.system("fsync", folder) }
    }
}

/// A file whose lock says that a process of one kind is there.
public struct Presence: Sendable {
    let path: String

    public init(_ path: String) { self.path = path }

    /// Nil when another process holds it. Held for as long as the answer lives.
    public func hold() throws -> Held? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw InjectionError.system("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return Held(descriptor)
    }

    public var isHeld: Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    public final class Held: Sendable {
        private let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }
}
