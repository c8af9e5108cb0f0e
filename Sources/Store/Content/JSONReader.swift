/// Reads a JSON text (RFC 8259) byte by byte. Of members with the same name the last one counts, as in
/// `jsonb`.
struct JSONReader {
    /// Deeper nesting is refused: documents are shallow, and reading recurses.
    static let deepest = 64

    private var rest: Substring.UTF8View
    private var depth = 0

    init(_ text: String) { rest = Substring(text).utf8 }

    /// The whole text as one value; nil when it is not JSON.
    mutating func document() -> JSONContent? {
        guard let content = value() else { return nil }
        skipSpace()
        return rest.isEmpty ? content : nil
    }

    private mutating func value() -> JSONContent? {
        skipSpace()
        switch rest.first {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return skip("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return skip("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return skip("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) -> JSONContent?) -> JSONContent? {
        guard depth < Self.deepest else { return nil }
        depth += 1
        defer { depth -= 1 }
        rest.removeFirst()
        skipSpace()
        return read(&self)
    }

    private mutating func object() -> JSONContent? {
        var members: [String: JSONContent] = [:]
        if skip("}") { return .object(members) }
        while true {
            skipSpace()
            guard rest.first == UInt8(ascii: "\""), let name = string() else { return nil }
            skipSpace()
            guard skip(":"), let member = value() else { return nil }
            members[name] = member
            skipSpace()
            if skip("}") { return .object(members) }
            guard skip(",") else { return nil }
        }
    }

    private mutating func array() -> JSONContent? {
        var items: [JSONContent] = []
        if skip("]") { return .array(items) }
        while true {
            guard let item = value() else { return nil }
            items.append(item)
            skipSpace()
            if skip("]") { return .array(items) }
            guard skip(",") else { return nil }
        }
    }

    private mutating func number() -> JSONContent? {
        let text = rest.prefix { byte in
            (48...57).contains(byte) || Self.numberMarks.contains(byte)
        }
        guard let first = text.first, let last = text.last, (48...57).contains(last),
            (48...57).contains(first) || first == UInt8(ascii: "-")
        else { return nil }
        rest = rest[text.endIndex...]
        let digits = Substring(text)
        if let whole = Int64(digits) { return .integer(whole) }
        guard let number = Double(digits), number.isFinite else { return nil }
        // Equal numbers are one value however they are written; above 2^53 a Double is no longer exact.
        return Int64(exactly: number).flatMap { abs(number) < 9_007_199_254_740_992 ? .integer($0) : nil }
            ?? .number(number)
    }

    private static let numberMarks = Array("+-.eE".utf8)

    private mutating func string() -> String? {
        rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                bytes += Array(String(scalar).utf8)
            case 0..<0x20: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): "\""
        case UInt8(ascii: "\\"): "\\"
        case UInt8(ascii: "/"): "/"
        case UInt8(ascii: "b"): "\u{8}"
        case UInt8(ascii: "f"): "\u{c}"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "t"): "\t"
        case UInt8(ascii: "u"): codePoint()
        default: nil
        }
    }

    /// Four hexadecimal digits, or two such escapes that are a surrogate pair.
    private mutating func codePoint() -> Unicode.Scalar? {
        guard let high = unit() else { return nil }
        guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) }
        guard skip("\\u"), let low = unit(), (0xDC00..<0xE000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func unit() -> UInt32? {
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") })
        else { return nil }
        rest = rest[digits.endIndex...]
        return UInt32(Substring(digits), radix: 16)
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let wanted = Array("\(text)".utf8)
        guard rest.starts(with: wanted) else { return false }
        rest.removeFirst(wanted.count)
        return true
    }

    private mutating func skipSpace() {
        while let byte = rest.first, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            rest.removeFirst()
        }
    }
}
