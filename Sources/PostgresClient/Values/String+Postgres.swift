/// Text. As a parameter its type is left to the server, so that it also fits enums, json and the like; an
/// array of strings is `text[]`.
extension String: PostgresEncodable, PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    public static var postgresType: PostgresType { .unspecified }
    public static var postgresFormat: PostgresFormat { .text }
    public static var postgresElementType: PostgresType { .text }
    public static var postgresArrayType: PostgresType { .textArray }

    public func encode(into buffer: inout PostgresBuffer) throws {
        guard !utf8.contains(0) else {
            throw PostgresError(.encoding, "text must not contain the character NUL")
        }
        buffer.append(utf8: self)
    }

    public func encodeElement(into buffer: inout PostgresBuffer) {
        buffer.append(utf8: self)
    }

    /// Reads every type whose binary form is its text, `jsonb`, `numeric` and `pg_lsn`.
    public static func decode(from cell: PostgresCell) throws -> String {
        if cell.format == .text { return try cell.utf8() }
        switch cell.type {
        case .text, .varchar, .bpchar, .name, .unknown, .char, .json, .xml:
            return try cell.utf8()
        case .jsonb:
            return try JSONText.decode(from: cell).text
        case .numeric:
            return try PostgresNumeric.text(of: cell)
        case .pgLSN:
            let position = try cell.integer(UInt64.self)
            return String(position >> 32, radix: 16, uppercase: true) + "/"
                + String(position & 0xFFFF_FFFF, radix: 16, uppercase: true)
        default:
            // Enums and text-like extension types send their text; anything else of a user's holds a NUL.
            guard cell.type.rawValue >= PostgresType.firstUserDefined,
                !cell.withBytes({ $0.contains(0) })
            else { throw PostgresDecodingFailure.wrongType }
            return try cell.utf8()
        }
    }
}
