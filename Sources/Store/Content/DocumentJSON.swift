internal import Foundation

/// Typed values to and from the JSON text of documents.
package enum DocumentJSON {
    /// JSON with sorted keys, so that equal values have equal texts.
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// - Throws: `StoreError.corrupt` when the text is not a `Value`.
    package static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw StoreError.corrupt("not a \(Value.self): \(text.prefix(80))")
        }
    }
}
