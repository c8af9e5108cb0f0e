internal import Foundation

/// The directory of a seam: a file for each fault, and one whose lock says that a program watches.
public struct SeamFolder: Sendable {
    /// Of files that are read; an injector writes a handful.
    static let mostFiles = 64
    /// Of one file.
    static let mostBytes = 4096
    private static let watchedName = ".watched"

    public let path: String

    public init(_ path: String) { self.path = path }

    private var watched: String { "\(path)/\(Self.watchedName)" }

    public func file(_ name: String) -> String { "\(path)/\(name).json" }

    /// Seen whole or not at all. It has to survive this process, not the machine: another boot ends it.
    public func write(_ fault: SeamFault, named name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(fault)
        guard data.count <= Self.mostBytes else { throw FaultSeamError("the fault \(name) is too long") }
        try data.write(to: URL(filePath: file(name)), options: .atomic)
    }

    public func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// Whether a program was started with this directory and runs.
    public var isWatched: Bool {
        let descriptor = open(watched, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    /// The descriptor that is held for as long as the program watches; several may.
    func watch() throws -> Int32 {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let descriptor = open(watched, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        // Whoever looks holds it for a moment.
        guard descriptor >= 0, flock(descriptor, LOCK_SH) == 0 else {
            throw FaultSeamError("\(watched) cannot be held: errno \(errno)")
        }
        return descriptor
    }

    /// In the order of their names; what is no fault says nothing.
    func faults() -> [SeamFault] {
        // why `try?`: files come and go, and an unreadable directory holds no fault.
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted().prefix(Self.mostFiles)
        return names.compactMap { name in
            guard let file = FileHandle(forReadingAtPath: "\(path)/\(name)"),
                let data = try? file.read(upToCount: Self.mostBytes)
            else { return nil }
            return try? JSONDecoder().decode(SeamFault.self, from: data)
        }
    }
}
