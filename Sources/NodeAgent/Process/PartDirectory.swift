internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import Shim

/// The directory of one part: what it is, what its shim did.
struct PartDirectory: Sendable {
    /// What a part was started as.
    struct Manifest: Codable {
        var host: String
        var directive: PartDirective
    }

    /// What the journal tells.
    enum Progress: Equatable {
        /// Nothing ran yet.
        case untouched
        /// On record, but not known to run.
        case begun
        case running
        case ended(PartEnd)
    }

    let path: String

    var journal: String { "\(path)/\(PartFiles.journal)" }

    private static let manifest = "part.json"

    /// Makes the directory, whole or not at all, and durable.
    /// - Throws: `JournalError`, or what Foundation throws.
    static func create(_ start: PartStart, in layout: ProcessLayout) throws -> PartDirectory {
        let path = layout.part(start.key.allocation)
        let draft = "\(layout.parts)/.new-\(start.key.allocation)"
        let files = FileManager.default
        if files.fileExists(atPath: draft) { try files.removeItem(atPath: draft) }
        do {
            try files.createDirectory(
                atPath: "\(draft)/\(PartFiles.work)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let manifest = Manifest(host: start.key.host, directive: start.directive)
            try DurableFile.replace(
                path: "\(draft)/\(Self.manifest)", with: [UInt8](try encoder.encode(manifest)))
            guard rename(draft, path) == 0 else { throw JournalError.system("rename", path) }
            try DurableFile.syncDirectory(of: path)
        } catch {
            // why `try?`: the next open cleans up what is left.
            try? files.removeItem(atPath: draft)
            throw error
        }
        return PartDirectory(path: path)
    }

    func readManifest() throws -> Manifest {
        let path = "\(path)/\(Self.manifest)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw JournalError.system("read", path)
        }
        do {
            return try JSONDecoder().decode(Manifest.self, from: data)
        } catch {
            throw JournalError(code: .unreadable, path: path, message: "\(error)")
        }
    }

    func records() throws -> [RunRecord] {
        guard FileManager.default.fileExists(atPath: journal) else { return [] }
        return try RunJournal.read(path: journal)
    }

    func progress() throws -> Progress {
        let records = try records()
        if let stop = records.last(where: { $0.event == .stop }) {
            return .ended(stop.end ?? PartEnd(outcome: .failed))
        }
        guard records.contains(where: { $0.event == .start }) else { return .untouched }
        return processRecord == nil ? .begun : .running
    }

    /// Who runs the part; nil before it ran, or when the record is damaged.
    var processRecord: ProcessRecord? {
        FileManager.default.contents(atPath: "\(path)/\(PartFiles.process)")
            .flatMap { ProcessRecord(String(decoding: $0, as: UTF8.self)) }
    }

    /// Whether a shim holds the journal.
    var isWatched: Bool {
        get throws {
            guard FileManager.default.fileExists(atPath: journal) else { return false }
            return try JournalFile.isHeld(path: journal)
        }
    }

    /// Writes what a shim cannot write (any more); the journal is locked meanwhile, so none can begin.
    func append(_ record: RunRecord) throws {
        let (file, _) = try JournalFile.open(path: journal)
        try file.append(try JournalLines.encode([record]), durable: true)
        try DurableFile.syncDirectory(of: journal)
    }

    /// Last thing that the shim complained about.
    var complaint: String? {
        FileManager.default.contents(atPath: "\(path)/\(PartFiles.complaints)")
            .map { String(decoding: $0, as: UTF8.self) }?
            .split(separator: "\n").last.map(String.init)
    }

    func tell(_ message: String) throws {
        // By way of a descriptor: the path may be longer than an address can be.
        let descriptor = Foundation.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system("open", path) }
        defer { close(descriptor) }
        try ShimSocket.send(message, to: "/proc/self/fd/\(descriptor)/\(PartFiles.control)")
    }

    func remove() throws {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        let gone = "\(parent)/.gone-\(path.split(separator: "/").last ?? "")"
        guard rename(path, gone) == 0 || errno == ENOENT else { throw JournalError.system("rename", path) }
        try FileManager.default.removeItem(atPath: gone)
    }
}
