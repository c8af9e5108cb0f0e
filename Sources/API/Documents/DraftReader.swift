internal import APITypes
internal import Fleet
internal import Foundation

/// Reads what a user sends, and says everything that is wrong with it at once.
enum DraftReader {
    /// A draft that passed: its metadata and the spec in canonical JSON.
    struct Accepted {
        var metadata: WireDraft.Metadata
        var spec: String
    }

    /// - Throws: `Problem` with a cause per defect.
    static func read(_ body: Data, kind: Kind, project: String?) throws -> Accepted {
        let json: JSONValue = try RequestReader.decode(body)
        let draft: WireDraft = try RequestReader.decode(body, what: kind.rawValue)
        var causes = unknownFields(json) + metadataDefects(draft, kind: kind, project: project)
        let spec = try spec(draft.spec, kind: kind, causes: &causes)
        if !causes.isEmpty {
            throw Problem(
                .invalid, detail: "\(kind.rawValue) \"\(draft.metadata.name)\" is not valid", causes: causes)
        }
        return Accepted(metadata: draft.metadata, spec: spec)
    }

    /// The canonical JSON of a spec; its defects are added to `causes`.
    static func spec(_ value: JSONValue, kind: Kind, causes: inout [FieldDefect]) throws -> String {
        switch kind {
        case .cell: try typed(CellSpec.self, value, &causes)
        case .pool: try typed(PoolSpec.self, value, &causes)
        case .host: try typed(HostSpec.self, value, &causes)
        case .flavor: try typed(FlavorSpec.self, value, &causes)
        case .policy: try typed(PolicySpec.self, value, &causes)
        case .model: try typed(ModelSpec.self, value, &causes)
        case .project: try typed(ProjectSpec.self, value, &causes)
        case .vm: try typed(VMSpec.self, value, &causes)
        case .vmGroup: try typed(VMGroupSpec.self, value, &causes)
        case .trainingJob: try typed(TrainingJobSpec.self, value, &causes)
        case .servingDeployment: try typed(ServingDeploymentSpec.self, value, &causes)
        case .allocation, .plan, .operation, .event, .token:
            throw Problem(.methodNotAllowed, detail: "\(kind.plural) are not written by users")
        }
    }

    private static func typed<Spec: DocumentSpec>(
        _ type: Spec.Type, _ value: JSONValue, _ causes: inout [FieldDefect]
    ) throws -> String {
        guard let spec: Spec = try decode(value, &causes) else { return "{}" }
        UnknownFields.find(in: value, read: spec, at: "spec", into: &causes)
        causes += spec.defects()
        return try JSONAnswer.text(spec)
    }

    /// Nil, and one cause more, for what is not of the type.
    static func decode<Spec: Decodable>(_ value: JSONValue, _ causes: inout [FieldDefect]) throws -> Spec? {
        do {
            return try JSONDecoder().decode(Spec.self, from: try JSONEncoder().encode(value))
        } catch let error as DecodingError {
            causes.append(FieldDefect(error, under: "spec", given: value))
            return nil
        }
    }

    /// A document as it was read may be sent back: what the server writes is known and left alone.
    static func unknownFields(_ json: JSONValue) -> [FieldDefect] {
        let metadata = [
            "name", "uid", "project", "labels", "annotations", "generation", "revision", "resourceVersion",
            "createdAt", "deletionTimestamp", "finalizers",
        ]
        return FieldDefect.unknown(
            in: json, known: ["apiVersion", "kind", "metadata", "spec", "status"], at: "")
            + FieldDefect.unknown(in: json["metadata"] ?? .null, known: metadata, at: "metadata.")
    }

    static func metadataDefects(_ draft: WireDraft, kind: Kind, project: String?) -> [FieldDefect] {
        var causes: [FieldDefect] = []
        func check(_ text: String, _ field: String) {
            if let defect = Name.defect(in: text) {
                causes.append(
                    FieldDefect(field: field, code: .invalid, message: "\"\(text.prefix(80))\" \(defect)"))
            }
        }
        if let version = draft.apiVersion, version != WireDocument.apiVersion {
            causes.append(
                FieldDefect(
                    field: "apiVersion", code: .unknownValue,
                    message: "\"\(version)\" is not served; the nearest is \"\(WireDocument.apiVersion)\""))
        }
        if let given = draft.kind, given != kind.rawValue {
            causes.append(
                FieldDefect(
                    field: "kind", code: .conflict, message: "\"\(given)\" was sent to \(kind.plural)"))
        }
        check(draft.metadata.name, "metadata.name")
        let length = draft.metadata.name.utf8.count
        if kind == .vmGroup, length > VMGroupSpec.nameLimit, length <= Name.lengthLimit {
            causes.append(
                FieldDefect(
                    field: "metadata.name", code: .invalid,
                    message: "is longer than \(VMGroupSpec.nameLimit) bytes; its members have longer names"))
        }
        if let given = draft.metadata.project, given != project {
            causes.append(
                FieldDefect(
                    field: "metadata.project", code: .conflict,
                    message: "\"\(given)\" is not the project of the path, \"\(project ?? "")\""))
        }
        for (field, values) in [
            ("labels", draft.metadata.labels), ("annotations", draft.metadata.annotations),
        ] {
            causes += labelDefects(values ?? [:], field: "metadata.\(field)")
        }
        return causes
    }

    /// Labels or annotations with their limits: 64 of them fit every index and screen.
    static func labelDefects(_ values: [String: String], field: String) -> [FieldDefect] {
        var causes: [FieldDefect] = []
        if values.count > 64 {
            causes.append(
                FieldDefect(
                    field: field, code: .outOfRange, message: "\(values.count) entries; the limit is 64"))
        }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            if let defect = Name.labelDefect(key: key, value: value) {
                causes.append(FieldDefect(field: field, code: .invalid, message: defect))
            }
        }
        return causes
    }
}
