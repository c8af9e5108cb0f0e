/// The value of a JSON text, compared by meaning: neither the order of members nor white space counts.
///
/// Both stores find out with it whether a spec changed, so that one that rewrites JSON on the way in
/// (as `jsonb` does) and one that keeps the text agree.
package indirect enum JSONContent: Sendable, Hashable {
    case null
    case bool(Bool)
    /// Also a number that is written with a point or an exponent but is whole.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONContent])
    case object([String: JSONContent])

    /// - Throws: `StoreError.corrupt` when `text` is not JSON (RFC 8259).
    package init(_ text: String) throws {
        var reader = JSONReader(text)
        guard let content = reader.document() else {
            throw StoreError.corrupt("not JSON: \(text.prefix(80))")
        }
        self = content
    }

    /// A member of an object; nil when it is absent or this is no object.
    package subscript(name: String) -> JSONContent? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    package var text: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var integer: Int? {
        guard case .integer(let value) = self else { return nil }
        return Int(value)
    }

    package var isTrue: Bool { self == .bool(true) }

    /// Sorted members and no white space: equal values have equal texts.
    package var canonical: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): Self.quoted(value)
        case .array(let items): "[" + items.map(\.canonical).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { Self.quoted($0.key) + ":" + $0.value.canonical }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var escaped = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped + "\""
    }
}
