internal import Foundation

/// The state of a job on disk, whole or not at all.
struct TrainerCheckpoint: Codable {
    /// A stretch of steps in one shape.
    struct Run: Codable {
        var from: Int
        var plan: String
        var worldSize: Int
    }

    var step: Int
    /// Never changes: with another one the job would be another.
    var globalBatch: Int
    /// In order; each began from the step before it.
    var runs: [Run]

    static func path(in directory: String) -> String { "\(directory)/checkpoint.json" }

    /// Nil when there is none yet.
    static func read(in directory: String) throws -> TrainerCheckpoint? {
        let path = path(in: directory)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        do {
            return try JSONDecoder().decode(TrainerCheckpoint.self, from: data)
        } catch {
            throw TrainerError("\(path) is no checkpoint: \(error)")
        }
    }

    func write(in directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try DurableJSON.write(self, to: Self.path(in: directory))
    }
}

/// Writes a file so that a reader, and a crash, see the old one or the new one.
enum DurableJSON {
    static func write(_ value: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let data = try encoder.encode(value)
        let draft = "\(path).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw TrainerError("\(draft) cannot be written: errno \(errno)") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: data)
        try file.synchronize()
        try file.close()
        guard rename(draft, path) == 0 else {
            throw TrainerError("\(path) cannot be replaced: errno \(errno)")
        }
    }
}
