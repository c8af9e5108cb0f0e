/// JSON as the text it is written in, for `json` and `jsonb`. The server checks that it is valid.
public struct JSONText: Sendable, Hashable {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }
}

extension JSONText: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    /// A lone parameter is left to the server, json or jsonb; an array is `jsonb[]`.
    public static var postgresType: PostgresType { .unspecified }
    public static var postgresFormat: PostgresFormat { .text }
    public static var postgresElementType: PostgresType { .jsonb }
    public static var postgresArrayType: PostgresType { .jsonbArray }

    /// The only version of jsonb's binary form, in front of its text.
    private static let version: UInt8 = 1

    public func encode(into buffer: inout PostgresBuffer) throws {
        try text.encode(into: &buffer)
    }

    public func encodeElement(into buffer: inout PostgresBuffer) {
        buffer.append(byte: Self.version)
        buffer.append(utf8: text)
    }

    public static func decode(from cell: PostgresCell) throws -> JSONText {
        switch cell.type {
        case .jsonb where cell.format == .binary:
            guard cell.count > 0, cell.withBytes({ $0[0] }) == version else {
                throw PostgresDecodingFailure("the jsonb has an unknown version")
            }
            let body = cell.element(type: .text, at: 1, count: cell.count - 1)
            return JSONText(try body.utf8())
        case .json, .jsonb:
            return JSONText(try cell.utf8())
        default:
            throw PostgresDecodingFailure.wrongType
        }
    }
}
