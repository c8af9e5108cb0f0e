internal import Foundation

/// The value of a JSON text, compared by meaning: neither the order of members nor white space counts.
///
/// Both stores find out with it whether a spec changed, so that one that rewrites JSON on the way in
/// (as `jsonb` does) and one that keeps the text agree.
package indirect enum JSONContent: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONContent])
    case object([String: JSONContent])

    /// - Throws: `StoreError.corrupt` when `text` is not JSON.
    package init(_ text: String) throws {
        do {
            self = try JSONDecoder().decode(JSONContent.self, from: Data(text.utf8))
        } catch {
            throw StoreError.corrupt("not JSON: \(text.prefix(80))")
        }
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

extension JSONContent: Decodable {
    package init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Member.self) {
            var members: [String: JSONContent] = [:]
            for key in object.allKeys {
                members[key.stringValue] = try object.decode(JSONContent.self, forKey: key)
            }
            self = .object(members)
            return
        }
        if var array = try? decoder.unkeyedContainer() {
            var items: [JSONContent] = []
            while !array.isAtEnd { items.append(try array.decode(JSONContent.self)) }
            self = .array(items)
            return
        }
        self = try Self.scalar(in: try decoder.singleValueContainer())
    }

    // why `try?`: a scalar names its type only by which decoding succeeds.
    private static func scalar(in container: any SingleValueDecodingContainer) throws -> JSONContent {
        if container.decodeNil() { return .null }
        if let value = try? container.decode(Bool.self) { return .bool(value) }
        if let value = try? container.decode(Int64.self) { return .integer(value) }
        if let value = try? container.decode(Double.self) { return .number(value) }
        return .string(try container.decode(String.self))
    }

    private struct Member: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
