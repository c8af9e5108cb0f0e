internal import Fleet

/// Writes a JSON object or array around values that are JSON text already, so that a stored spec is never
/// parsed on its way in.
struct JSONWriter {
    private(set) var text: String
    private var isEmpty = true
    private let close: Character

    static func object() -> JSONWriter { JSONWriter(open: "{", close: "}") }
    static func array() -> JSONWriter { JSONWriter(open: "[", close: "]") }

    private init(open: Character, close: Character) {
        text = String(open)
        self.close = close
    }

    mutating func member(_ key: String, raw value: String) {
        separate()
        text += "\"" + key + "\":" + value
    }

    mutating func member(_ key: String, _ value: String?) {
        member(key, raw: value.map(Self.quoted) ?? "null")
    }

    mutating func member(_ key: String, _ values: [String: String]) {
        member(key, raw: values.json)
    }

    mutating func member(_ key: String, _ values: [String]) {
        var array = JSONWriter.array()
        for value in values { array.element(raw: Self.quoted(value)) }
        member(key, raw: array.closed)
    }

    mutating func element(raw value: String) {
        separate()
        text += value
    }

    var closed: String { text + String(close) }

    private mutating func separate() {
        if isEmpty { isEmpty = false } else { text += "," }
    }

    /// A JSON string literal.
    static func quoted(_ value: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        bytes.reserveCapacity(value.utf8.count + 2)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [String: String] {
    /// JSON object with sorted keys.
    var json: String {
        let members = sorted { $0.key < $1.key }.map {
            JSONWriter.quoted($0.key) + ":" + JSONWriter.quoted($0.value)
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}

extension DocumentDraft {
    var json: String {
        var object = JSONWriter.object()
        object.member("uid", uid.description)
        object.member("kind", kind.rawValue)
        object.member("project", project ?? "")
        object.member("name", name)
        object.member("labels", labels)
        object.member("annotations", annotations)
        object.member("finalizers", finalizers)
        object.member("spec", raw: spec)
        object.member("status", raw: status)
        return object.closed
    }
}

extension EventDraft {
    var json: String {
        var object = JSONWriter.object()
        object.member("kind", kind.rawValue)
        object.member("project", project ?? "")
        object.member("name", name)
        object.member("uid", uid.description)
        object.member("reason", reason.rawValue)
        object.member("message", message)
        object.member("source", source)
        return object.closed
    }
}
