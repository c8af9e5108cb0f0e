internal import FaultLab
internal import Foundation

/// What became of sessions and batches: a folder for each, which outlives the server.
///
/// The program of a session writes its folder at the end, so that no truth lies there before.
struct SessionArchive: Sendable {
    private let root: URL
    private static let cardFile = "card.json"

    /// - Parameter path: made, for this user alone, when it is not there.
    /// - Throws: when it cannot be.
    init(path: String) throws {
        root = URL(filePath: path)
        for name in ["sessions", "batches"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: name), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
    }

    func folder(of session: String) -> URL { root.appending(path: "sessions").appending(path: session) }

    /// Notes that there is a session: after a restart it is known, and known to be over.
    func note(_ card: SessionCard, tokenHash: String) throws {
        let folder = folder(of: card.id)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try JSONEncoder().encode(Entry(card: card, tokenHash: tokenHash))
            .write(to: folder.appending(path: Self.cardFile), options: .atomic)
    }

    struct Entry: Codable {
        var card: SessionCard
        var tokenHash: String
    }

    /// Sessions of former servers. What was under way has ended with its server.
    func entries() -> [Entry] {
        names(in: "sessions").compactMap { name in
            let file = folder(of: name).appending(path: Self.cardFile)
            guard let data = try? Data(contentsOf: file),
                var entry = try? JSONDecoder().decode(Entry.self, from: data), entry.card.id == name
            else { return nil }
            if result(of: name) != nil {
                entry.card.state = .done
            } else if !entry.card.state.isOver {
                entry.card.state = .aborted
                entry.card.message = "The server ended before the session did."
            }
            return entry
        }
    }

    private func names(in folder: String) -> [String] {
        let place = root.appending(path: folder).path
        return ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted()
    }

    /// Nil before the end.
    func result(of session: String) -> SessionResult? {
        let file = folder(of: session).appending(path: SessionResult.file)
        return (try? Data(contentsOf: file)).flatMap {
            try? JSONDecoder().decode(SessionResult.self, from: $0)
        }
    }

    /// Files of an export below its format's folder, by their paths.
    func export(_ format: ExportFormat, of session: String) -> [String: String] {
        let place = folder(of: session).appending(path: format.rawValue)
        guard let all = FileManager.default.enumerator(atPath: place.path) else { return [:] }
        var files: [String: String] = [:]
        for case let path as String in all {
            guard let text = try? String(contentsOf: place.appending(path: path), encoding: .utf8) else {
                continue
            }
            files[path] = text
        }
        return files
    }

    // MARK: - Batches

    func keep(_ result: Data, batch: String, agent: String) throws {
        let folder = root.appending(path: "batches").appending(path: batch)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try result.write(to: folder.appending(path: "\(agent).json"), options: .atomic)
    }

    /// A batch that is not at its end: what was asked for, and whose run ended without a result.
    struct OpenBatch: Codable {
        var request: BatchRequest
        var failed: [String]
    }

    private static let batchFile = "batch.json"

    /// Notes a batch before anything of it is done: after a restart it goes on.
    func note(_ batch: OpenBatch, id: String) throws {
        let folder = root.appending(path: "batches").appending(path: id)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try JSONEncoder().encode(batch).write(to: folder.appending(path: Self.batchFile), options: .atomic)
    }

    /// Nil of a batch of a former kind of server, and of one that cannot be read.
    func openBatch(_ id: String) -> OpenBatch? {
        let file = root.appending(path: "batches").appending(path: id).appending(path: Self.batchFile)
        return (try? Data(contentsOf: file)).flatMap { try? JSONDecoder().decode(OpenBatch.self, from: $0) }
    }

    /// Agents of a batch whose results are there.
    func agents(ofBatch id: String) -> [String] {
        names(in: "batches/\(id)").filter { $0 != Self.batchFile && $0.hasSuffix(".json") }
            .map { String($0.dropLast(".json".count)) }
    }

    func results(ofBatch batch: String) -> [SuiteResult] {
        let folder = "batches/\(batch)"
        return names(in: folder).compactMap { name in
            let file = root.appending(path: folder).appending(path: name)
            return (try? Data(contentsOf: file)).flatMap {
                try? JSONDecoder().decode(SuiteResult.self, from: $0)
            }
        }
    }

    var batches: [String] { names(in: "batches") }

    /// Of all sessions and batches that came to their ends.
    func grades() -> [SessionGrade] {
        names(in: "sessions").compactMap { result(of: $0)?.grade }
            + batches.flatMap { results(ofBatch: $0).flatMap(\.sessions) }
    }
}

/// A layout of telemetry and results that another system reads.
enum ExportFormat: String, CaseIterable { case openrca, rcaeval, aiopslab }
