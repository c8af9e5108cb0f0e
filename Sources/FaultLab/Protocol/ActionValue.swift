/// What an argument of an action may be: the literals of Python and of JSON.
public enum ActionValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ActionValue])
    case mapping([String: ActionValue])

    /// Text, or the text of a number.
    public var asText: String? {
        switch self {
        case .text(let text): text
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .null, .bool, .list, .mapping: nil
        }
    }

    /// A whole number, also one written as a text or with a fraction of nought.
    public var asInteger: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        case .text(let text): Int(text)
        case .null, .bool, .list, .mapping: nil
        }
    }

    public var asBool: Bool? {
        switch self {
        case .bool(let value): value
        case .text(let text) where ["true", "yes"].contains(text.lowercased()): true
        case .text(let text) where ["false", "no"].contains(text.lowercased()): false
        default: nil
        }
    }

    /// Texts of a list; one text is a list of one.
    public var asTexts: [String]? {
        switch self {
        case .list(let values):
            values.reduce(into: [String]?.some([])) { texts, value in
                if let text = value.asText { texts?.append(text) } else { texts = nil }
            }
        case .text(let text): [text]
        case .null, .bool, .integer, .number, .mapping: nil
        }
    }
}

extension ActionValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([ActionValue].self) {
            self = .list(value)
        } else {
            self = .mapping(try container.decode([String: ActionValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        case .mapping(let values): try container.encode(values)
        }
    }
}
