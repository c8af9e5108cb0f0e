internal import APITypes
internal import Fleet

/// The fields in which a document and a draft of it differ.
struct DocumentDifference: Equatable {
    struct Line: Equatable {
        var field: String
        /// Nil when the field is absent.
        var before: String?
        var after: String?
    }

    /// Sorted by field.
    let lines: [Line]

    var isEmpty: Bool { lines.isEmpty }

    /// - Parameter current: nil when the document does not exist yet.
    init(from current: WireDocument?, to draft: WireDraft) {
        let before = current.map { Self.leaves($0.spec, $0.metadata.labels, $0.metadata.annotations) } ?? [:]
        let after = Self.leaves(draft.spec, draft.metadata.labels ?? [:], draft.metadata.annotations ?? [:])
        let fields = Set(before.keys).union(after.keys).sorted()
        lines = fields.compactMap { field in
            before[field] == after[field]
                ? nil : Line(field: field, before: before[field], after: after[field])
        }
    }

    /// As a patch shows it: `-` what is there, `+` what would be.
    var text: [String] {
        lines.flatMap { line in
            [line.before.map { "- \(line.field): \($0)" }, line.after.map { "+ \(line.field): \($0)" }]
                .compactMap { $0 }
        }
    }

    private static func leaves(
        _ spec: JSONValue, _ labels: [String: String], _ annotations: [String: String]
    ) -> [String: String] {
        var leaves: [String: String] = [:]
        collect(spec, "spec", into: &leaves)
        for (key, value) in labels { leaves["metadata.labels.\(key)"] = value }
        for (key, value) in annotations { leaves["metadata.annotations.\(key)"] = value }
        return leaves
    }

    /// An absent field and one that is null mean the same.
    private static func collect(_ value: JSONValue, _ path: String, into leaves: inout [String: String]) {
        switch value {
        case .null: break
        case .object(let members):
            for (key, member) in members { collect(member, "\(path).\(key)", into: &leaves) }
        case .array(let items):
            if items.isEmpty { leaves[path] = "[]" }
            for (index, item) in items.enumerated() { collect(item, "\(path)[\(index)]", into: &leaves) }
        case .bool, .integer, .number, .string:
            leaves[path] = value.string ?? Serialization.json(value, pretty: false)
        }
    }
}
