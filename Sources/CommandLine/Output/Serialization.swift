internal import APITypes
internal import Foundation
internal import Yams

/// JSON and YAML with sorted keys, so that equal values are equal text.
enum Serialization {
    static func json(_ value: JSONValue, pretty: Bool) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        // why: a JSONValue holds nothing that JSON cannot, but for numbers that are not finite
        guard let data = try? encoder.encode(value) else { return "null" }
        return String(decoding: data, as: UTF8.self)
    }

    static func yaml(_ value: JSONValue) -> String {
        // why: the nodes below are scalars, sequences and mappings, which all serialise
        (try? Yams.serialize(node: node(value), width: -1, allowUnicode: true)) ?? ""
    }

    /// A value as a JSON tree, to be shown like any other.
    static func tree(_ value: some Encodable) throws -> JSONValue {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try JSONDecoder().decode(JSONValue.self, from: encoder.encode(value))
    }

    /// The value that a tree holds.
    static func value<Value: Decodable>(_ type: Value.Type, from tree: JSONValue) throws -> Value {
        try JSONDecoder().decode(type, from: try JSONEncoder().encode(tree))
    }

    private static func node(_ value: JSONValue) -> Node {
        switch value {
        case .null: Node("null")
        case .bool(let value): Node(value ? "true" : "false")
        case .integer(let value): Node(String(value))
        case .number(let value): Node(value.description)
        case .string(let text): Node(text, Tag(.str), isSafePlain(text) ? .plain : .doubleQuoted)
        case .array(let items):
            Node(items.map(node), Tag(.seq), items.isEmpty ? .flow : .block)
        case .object(let members):
            Node(
                members.sorted { $0.key < $1.key }.map { (Node($0.key), node($0.value)) }, Tag(.map),
                members.isEmpty ? .flow : .block)
        }
    }

    /// Whether any YAML reader takes the plain text for a string; when in doubt it is quoted.
    private static func isSafePlain(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter || first == "/" else { return false }
        let words: Set = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        if words.contains(text.lowercased()) { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0)) }
    }
}
