internal import APITypes
internal import Fleet
internal import Foundation

/// JSON merge patch (RFC 7396) over the parts of a document that users write.
enum MergePatch {
    /// - Throws: `Problem` when the patched document is not valid, or touches what users do not write.
    static func apply(_ patch: JSONValue, to resource: inout Resource) throws {
        guard case .object(let members) = patch else {
            throw Problem(.malformedRequest, detail: "a merge patch is a JSON object")
        }
        for key in members.keys.sorted() where !["apiVersion", "kind", "metadata", "spec"].contains(key) {
            throw Problem(
                .invalid, detail: "the patch is not valid",
                causes: [FieldDefect(field: key, code: .unknownField, message: "can be patched by nobody")])
        }
        for (key, expected) in [("apiVersion", WireDocument.apiVersion), ("kind", resource.kind.rawValue)] {
            guard let given = members[key], given.string != expected else { continue }
            throw Problem(
                .invalid, detail: "the patch is not valid",
                causes: [FieldDefect(field: key, code: .immutable, message: "is \"\(expected)\"")])
        }
        if let metadata = members["metadata"], metadata.object == nil {
            throw Problem(
                .invalid, detail: "the patch is not valid",
                causes: [FieldDefect(field: "metadata", code: .invalid, message: "is not an object")])
        }
        if let spec = members["spec"] { try apply(spec: spec, to: &resource) }
        guard let metadata = members["metadata"]?.object else { return }
        for key in metadata.keys.sorted() where !["labels", "annotations"].contains(key) {
            throw Problem(
                .invalid, detail: "the patch is not valid",
                causes: [
                    FieldDefect(
                        field: "metadata.\(key)", code: .immutable,
                        message: "labels and annotations can change")
                ])
        }
        resource.metadata.labels = try strings(metadata["labels"], over: resource.metadata.labels, "labels")
        resource.metadata.annotations = try strings(
            metadata["annotations"], over: resource.metadata.annotations, "annotations")
        let causes =
            DraftReader.labelDefects(resource.metadata.labels, field: "metadata.labels")
            + DraftReader.labelDefects(resource.metadata.annotations, field: "metadata.annotations")
        if !causes.isEmpty {
            throw Problem(.invalid, detail: "the patched object is not valid", causes: causes)
        }
    }

    private static func apply(spec patch: JSONValue, to resource: inout Resource) throws {
        let before = try JSONDecoder().decode(JSONValue.self, from: Data(resource.spec.utf8))
        var causes: [FieldDefect] = []
        let after = try DraftReader.spec(merged(patch, over: before), kind: resource.kind, causes: &causes)
        if !causes.isEmpty {
            throw Problem(.invalid, detail: "the patched object is not valid", causes: causes)
        }
        try DocumentRoutes.checkImmutable(resource.kind, from: resource.spec, to: after)
        resource.spec = after
    }

    static func merged(_ patch: JSONValue, over target: JSONValue?) -> JSONValue {
        guard case .object(let members) = patch else { return patch }
        var result = target?.object ?? [:]
        for (key, value) in members {
            result[key] = value == .null ? nil : merged(value, over: result[key])
        }
        return .object(result)
    }

    private static func strings(_ patch: JSONValue?, over values: [String: String], _ field: String) throws
        -> [String: String]
    {
        guard let patch else { return values }
        guard case .object(let members) = patch else {
            if patch == .null { return [:] }
            throw Problem(
                .invalid, detail: "the patch is not valid",
                causes: [
                    FieldDefect(
                        field: "metadata.\(field)", code: .invalid, message: "is not an object of strings")
                ])
        }
        var result = values
        for (key, value) in members {
            switch value {
            case .null: result[key] = nil
            case .string(let text): result[key] = text
            default:
                throw Problem(
                    .invalid, detail: "the patch is not valid",
                    causes: [
                        FieldDefect(
                            field: "metadata.\(field).\(key)", code: .invalid, message: "is not a string")
                    ])
            }
        }
        return result
    }
}
