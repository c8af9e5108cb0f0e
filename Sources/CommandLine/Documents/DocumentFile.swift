internal import APITypes
internal import Fleet
internal import Foundation
internal import Yams

/// One document of a file, with where it stands for messages.
struct SourcedDraft: Sendable, Equatable {
    var kind: Kind
    var draft: WireDraft
    /// `web.yaml document 2`.
    var place: String

    var reference: String { "\(kind.singular)/\(draft.metadata.name)" }
}

/// Reads the YAML (or JSON, which is YAML) that users write.
enum DocumentFile {
    /// More documents in one file are a mistake, or belong in several.
    static let documentLimit = 100_000

    /// - Parameter path: `-` is standard input.
    static func text(at path: String, _ surroundings: Surroundings) throws -> (name: String, text: String) {
        if path == "-" { return ("standard input", try surroundings.readInput()) }
        return (path, try read(path))
    }

    /// A file's text, or one line with the nearest file of the folder.
    static func read(_ path: String) throws -> String {
        if let data = FileManager.default.contents(atPath: path) {
            guard let text = String(data: data, encoding: .utf8) else {
                throw CommandFailure("\(path) is not UTF-8 text")
            }
            return text
        }
        try requireFile(path)
        throw CommandFailure("\(path) cannot be read")
    }

    /// - Throws: one line with the nearest file of the folder, unless the file is there.
    static func requireFile(_ path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent()
        // why: without a listing the message only lacks its hint
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let nearest = NearestChoice.of(url.lastPathComponent, among: names.sorted())
        throw CommandFailure("no file \"\(path)\"" + (nearest.map { "; the nearest is \"\($0)\"" } ?? ""))
    }

    /// Every document of a stream; empty ones are skipped.
    static func drafts(_ text: String, name: String) throws -> [SourcedDraft] {
        var drafts: [SourcedDraft] = []
        for (index, value) in try YAMLReader.documents(text, name: name) {
            let place = "\(name) document \(index)"
            drafts.append(try draft(value, place: place))
            guard drafts.count <= documentLimit else {
                throw CommandFailure("\(name) holds more than \(documentLimit) documents")
            }
        }
        guard !drafts.isEmpty else { throw CommandFailure("\(name) holds no document") }
        return drafts
    }

    private static func draft(_ value: JSONValue, place: String) throws -> SourcedDraft {
        guard let members = value.object else { throw CommandFailure("\(place) is not a mapping") }
        let known = ["apiVersion", "kind", "metadata", "spec", "status"]
        for name in members.keys.sorted() where !known.contains(name) {
            throw CommandFailure("\(place): " + NearestChoice.refusal("field", name, among: known))
        }
        if let version = members["apiVersion"], version != .string(WireDocument.apiVersion) {
            throw CommandFailure("\(place): apiVersion must be \"\(WireDocument.apiVersion)\"")
        }
        guard let kindName = members["kind"]?.string else {
            throw CommandFailure("\(place): kind is missing; write one of \(kinds.joined(separator: ", "))")
        }
        guard let kind = Kind(rawValue: kindName), kind.isDocument else {
            throw CommandFailure("\(place): " + NearestChoice.refusal("kind", kindName, among: kinds))
        }
        let metadata = try self.metadata(members["metadata"], place: place)
        let spec = members["spec"] ?? .object([:])
        guard spec.object != nil else { throw CommandFailure("\(place): spec is not a mapping") }
        return SourcedDraft(
            kind: kind, draft: WireDraft(kind: kind.rawValue, metadata: metadata, spec: spec), place: place)
    }

    private static let kinds = Kind.allCases.filter(\.isDocument).map(\.rawValue)

    /// Fields that the server writes are taken and dropped: the output of `get -o yaml` can be applied.
    private static func metadata(_ value: JSONValue?, place: String) throws -> WireDraft.Metadata {
        guard let members = value?.object, let name = members["name"]?.string, !name.isEmpty else {
            throw CommandFailure("\(place): metadata.name is missing")
        }
        let written = ["name", "project", "labels", "annotations"]
        let served = [
            "uid", "generation", "revision", "resourceVersion", "createdAt", "deletionTimestamp",
            "finalizers",
        ]
        for name in members.keys.sorted() where !written.contains(name) && !served.contains(name) {
            throw CommandFailure("\(place): " + NearestChoice.refusal("field metadata", name, among: written))
        }
        return WireDraft.Metadata(
            name: name, project: members["project"]?.string,
            labels: try texts(members["labels"], "metadata.labels", place),
            annotations: try texts(members["annotations"], "metadata.annotations", place))
    }

    private static func texts(_ value: JSONValue?, _ field: String, _ place: String) throws -> [String:
        String]?
    {
        guard let value, value != .null else { return nil }
        guard let members = value.object else { throw CommandFailure("\(place): \(field) is not a mapping") }
        return try Dictionary(
            uniqueKeysWithValues: members.keys.sorted().map { key in
                guard let text = members[key]?.string else {
                    throw CommandFailure("\(place): \(field).\(key) must be text; put it in quotes")
                }
                return (key, text)
            })
    }
}
