internal import Foundation

/// JSON lines with sorted keys, the payload of a journal's frame.
enum JournalLines {
    static func encode(_ values: some Sequence<some Encodable>) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines: [UInt8] = []
        for value in values {
            lines += try encoder.encode(value)
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }

    /// - Throws: `JournalError` with code `unreadable`.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from payload: ArraySlice<UInt8>, path: String
    ) throws -> [Value] {
        let decoder = JSONDecoder()
        return try payload.split(separator: UInt8(ascii: "\n")).map { line in
            do {
                return try decoder.decode(type, from: Data(line))
            } catch {
                throw JournalError(code: .unreadable, path: path, message: "\(error)")
            }
        }
    }
}
