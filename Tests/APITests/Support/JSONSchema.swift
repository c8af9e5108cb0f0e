import APITypes
import Testing

/// A JSON Schema (draft 2020-12), as far as the schemas of this repository go: a keyword that is not known
/// here fails the test that meets it.
struct JSONSchema {
    let root: JSONValue

    func accepts(_ value: JSONValue) throws -> Bool { try accepts(value, root) }

    private static let annotations: Set = ["$schema", "$defs", "title", "description", "format"]

    private func accepts(_ value: JSONValue, _ schema: JSONValue) throws -> Bool {
        if case .bool(let answer) = schema { return answer }
        for (keyword, rule) in try #require(schema.object) where !Self.annotations.contains(keyword) {
            guard try holds(keyword, rule, value, schema) else { return false }
        }
        return true
    }

    private func holds(
        _ keyword: String, _ rule: JSONValue, _ value: JSONValue, _ schema: JSONValue
    ) throws -> Bool {
        switch keyword {
        case "$ref": return try accepts(value, try JSONValue.object(["$ref": rule]).resolved(in: root))
        case "const": return value == rule
        case "enum": return try #require(rule.array).contains(value)
        case "type":
            // A whole number is a number, too.
            return value.typeName == rule.string || rule.string == "number" && value.typeName == "integer"
        case "required":
            guard let members = value.object else { return true }
            return try #require(rule.array).allSatisfy { members[$0.string ?? ""] != nil }
        case "properties":
            let properties = try #require(rule.object)
            return try (value.object ?? [:]).allSatisfy { name, member in
                try properties[name].map { try accepts(member, $0) } ?? true
            }
        case "additionalProperties":
            let known = schema["properties"]?.object ?? [:]
            return try (value.object ?? [:]).allSatisfy { name, member in
                try known[name] != nil || accepts(member, rule)
            }
        case "propertyNames":
            return try (value.object ?? [:]).keys.allSatisfy { try accepts(.string($0), rule) }
        case "allOf": return try #require(rule.array).allSatisfy { try accepts(value, $0) }
        case "anyOf": return try #require(rule.array).contains { try accepts(value, $0) }
        case "not": return try !accepts(value, rule)
        case "items": return try (value.array ?? []).allSatisfy { try accepts($0, rule) }
        case "maxItems": return (value.array ?? []).count <= rule.integer ?? 0
        case "maxProperties": return (value.object ?? [:]).count <= rule.integer ?? 0
        case "minLength": return value.length.map { $0 >= rule.integer ?? 0 } ?? true
        case "maxLength": return value.length.map { $0 <= rule.integer ?? 0 } ?? true
        case "minimum": return try value.amount.map { $0 >= (try #require(rule.amount)) } ?? true
        case "maximum": return try value.amount.map { $0 <= (try #require(rule.amount)) } ?? true
        case "if": return try !accepts(value, rule) || accepts(value, try #require(schema["then"]))
        case "then": return true
        case "pattern":
            let pattern = try Regex(try #require(rule.string))
            return value.string.map { $0.wholeMatch(of: pattern) != nil } ?? true
        default:
            Issue.record("the keyword \(keyword) is not known")
            return false
        }
    }
}

extension JSONValue {
    fileprivate var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    fileprivate var amount: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// Characters as JSON Schema counts them.
    fileprivate var length: Int? { string?.unicodeScalars.count }
}
