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
        let draft: WireDraft = try decode(body, field: "", kind: kind)
        var causes = metadataDefects(draft, kind: kind, project: project)
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
        case .project: try typed(ProjectSpec.self, value, &causes)
        case .vm: try typed(VMSpec.self, value, &causes)
        case .allocation, .plan, .operation, .event, .token:
            throw Problem(.methodNotAllowed, detail: "\(kind.plural) are not written by users")
        }
    }

    private static func typed<Spec: DocumentSpec>(
        _ type: Spec.Type, _ value: JSONValue, _ causes: inout [FieldDefect]
    ) throws -> String {
        let data = try JSONEncoder().encode(value)
        let spec: Spec
        do {
            spec = try JSONDecoder().decode(Spec.self, from: data)
        } catch let error as DecodingError {
            causes.append(FieldDefect(error, under: "spec", given: value))
            return "{}"
        }
        UnknownFields.find(in: value, read: spec, at: "spec", into: &causes)
        causes += spec.defects()
        return try JSONAnswer.text(spec)
    }

    private static func metadataDefects(_ draft: WireDraft, kind: Kind, project: String?) -> [FieldDefect] {
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

    /// Labels and annotations together with their limits: 64 of 256 bytes each fit every index and screen.
    private static func labelDefects(_ values: [String: String], field: String) -> [FieldDefect] {
        var causes: [FieldDefect] = []
        if values.count > 64 {
            causes.append(
                FieldDefect(
                    field: field, code: .outOfRange, message: "\(values.count) entries; the limit is 64"))
        }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            let printable = (key + value).unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
            if key.isEmpty || key.utf8.count > 256 || value.utf8.count > 256 || !printable {
                causes.append(
                    FieldDefect(
                        field: field, code: .invalid,
                        message:
                            "\"\(key.prefix(80))\" or its value is empty, above 256 bytes or not printable"))
            }
        }
        return causes
    }

    static func decode<Value: Decodable>(_ body: Data, field: String, kind: Kind? = nil) throws -> Value {
        try checkDepth(body)
        do {
            return try JSONDecoder().decode(Value.self, from: body)
        } catch let error as DecodingError {
            let cause = FieldDefect(error, under: field, given: nil)
            if cause.field.isEmpty { throw Problem(.malformedRequest, detail: cause.message) }
            throw Problem(
                .invalid, detail: "the \(kind?.rawValue ?? "request") is not valid", causes: [cause])
        }
    }

    /// Refuses nesting that no document has, before a recursive parser meets it.
    private static func checkDepth(_ body: Data) throws {
        var depth = 0
        var inString = false
        var escaped = false
        for byte in body {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte
                    == UInt8(ascii: "\"")
                {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            if depth > RequestLimit.depth {
                throw Problem(
                    .malformedRequest, detail: "the body is nested deeper than \(RequestLimit.depth) levels")
            }
        }
    }
}

extension FieldDefect {
    /// What a decoding error says, in the words of the document.
    init(_ error: DecodingError, under root: String, given: JSONValue?) {
        func path(_ keys: [any CodingKey]) -> String {
            keys.reduce(root) { text, key in
                if let index = key.intValue { return "\(text)[\(index)]" }
                return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
            }
        }
        switch error {
        case .keyNotFound(let key, let context):
            self.init(field: path(context.codingPath + [key]), code: .required, message: "is missing")
        case .typeMismatch(let type, let context):
            self.init(
                field: path(context.codingPath), code: .invalid, message: "is not \(Self.word(for: type))")
        case .valueNotFound(let type, let context):
            self.init(
                field: path(context.codingPath), code: .required,
                message: "is null instead of \(Self.word(for: type))")
        case .dataCorrupted(let context):
            let text = context.codingPath.isEmpty ? "the body is not JSON" : context.debugDescription
            self.init(field: path(context.codingPath), code: .invalid, message: text)
        @unknown default:
            self.init(field: root, code: .invalid, message: "cannot be read")
        }
    }

    private static func word(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type: "an integer"
        case is Double.Type: "a number"
        case is [Any].Type: "a list"
        default: "of the right type"
        }
    }
}
