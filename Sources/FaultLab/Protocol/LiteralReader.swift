/// Reads arguments of a call written as literals of Python.
struct LiteralReader {
    private let bytes: [UInt8]
    private var position = 0
    private let takesBareWords: Bool
    private var depth = 0

    /// Of lists in lists: more is no answer to anything.
    private static let deepest = 32

    init(_ text: String, takesBareWords: Bool) {
        bytes = Array(text.utf8)
        self.takesBareWords = takesBareWords
    }

    /// - Parameter close: the byte that ends the arguments; nil when the text ends with them.
    mutating func arguments(
        closedBy close: Character?
    ) throws(ActionTextFailure) -> ([ActionValue], [String: ActionValue]) {
        let close = close?.asciiValue
        var arguments: [ActionValue] = []
        var keywords: [String: ActionValue] = [:]
        while true {
            skipBlanks()
            if atEnd(close) { break }
            if let name = keyword() {
                guard keywords[name] == nil else { throw failure("\"\(name)\" is given twice") }
                keywords[name] = try value()
            } else {
                guard keywords.isEmpty else {
                    throw failure("an argument without a name follows one with a name")
                }
                arguments.append(try value())
            }
            skipBlanks()
            if atEnd(close) { break }
            guard take(UInt8(ascii: ",")) else { throw failure("a comma is missing") }
        }
        return (arguments, keywords)
    }

    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: - Values

    private mutating func value() throws(ActionTextFailure) -> ActionValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("the arguments are nested too deeply") }
        skipBlanks()
        guard let byte = peek else { throw failure("a value is missing") }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .text(try texts())
        case UInt8(ascii: "["): return .list(try list(closedBy: UInt8(ascii: "]")))
        case UInt8(ascii: "("): return try tuple()
        case UInt8(ascii: "{"): return .mapping(try mapping())
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try number()
        default: return try word()
        }
    }

    private mutating func list(closedBy close: UInt8) throws(ActionTextFailure) -> [ActionValue] {
        position += 1
        var values: [ActionValue] = []
        while true {
            skipBlanks()
            if take(close) { return values }
            values.append(try value())
            skipBlanks()
            if take(close) { return values }
            guard take(UInt8(ascii: ",")) else { throw failure("a list does not end") }
        }
    }

    /// Parentheses around one value without a comma are not a tuple.
    private mutating func tuple() throws(ActionTextFailure) -> ActionValue {
        let start = position
        let values = try list(closedBy: UInt8(ascii: ")"))
        let hasComma = bytes[start..<position].contains(UInt8(ascii: ","))
        return values.count == 1 && !hasComma ? values[0] : .list(values)
    }

    private mutating func mapping() throws(ActionTextFailure) -> [String: ActionValue] {
        position += 1
        var values: [String: ActionValue] = [:]
        while true {
            skipBlanks()
            if take(UInt8(ascii: "}")) { return values }
            guard let key = try value().asText else { throw failure("a key is no text") }
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw failure("a colon is missing after \"\(key)\"") }
            values[key] = try value()
            skipBlanks()
            if take(UInt8(ascii: "}")) { return values }
            guard take(UInt8(ascii: ",")) else { throw failure("a mapping does not end") }
        }
    }

    private mutating func word() throws(ActionTextFailure) -> ActionValue {
        let start = position
        while let byte = peek, Self.isWord(byte) || (takesBareWords && Self.isInBareWord(byte)) {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "True": return .bool(true)
        case "False": return .bool(false)
        case "None": return .null
        case "r", "R", "u", "U", "b", "B", "f", "F":
            if let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                return .text(try literalText(isRaw: text.lowercased() == "r"))
            }
        default: break
        }
        if takesBareWords {
            switch text {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null": return .null
            case "": break
            default: return .text(text)
            }
        }
        throw failure(text.isEmpty ? "a value is missing" : "\"\(text.prefix(40))\" is no literal")
    }

    private static func isInBareWord(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "<"), UInt8(ascii: ">")]
            .contains(byte)
    }

    private mutating func number() throws(ActionTextFailure) -> ActionValue {
        let start = position
        while let byte = peek,
            Self.isWord(byte) || byte == UInt8(ascii: ".")
                || ((byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+"))
                    && (position == start || [0x65, 0x45].contains(bytes[position - 1])))
        {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self).replacing("_", with: "")
        if let value = Int(text) { return .integer(value) }
        if text.lowercased().hasPrefix("0x"), let value = Int(text.dropFirst(2), radix: 16) {
            return .integer(value)
        }
        guard let value = Double(text), value.isFinite else {
            throw failure("\"\(text.prefix(40))\" is no number")
        }
        return .number(value)
    }

    // MARK: - Texts

    /// Texts that stand side by side are one.
    private mutating func texts() throws(ActionTextFailure) -> String {
        var text = try literalText(isRaw: false)
        while true {
            let before = position
            skipBlanks()
            guard let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
                position = before
                return text
            }
            text += try literalText(isRaw: false)
        }
    }

    private mutating func literalText(isRaw: Bool) throws(ActionTextFailure) -> String {
        guard let quote = peek else { throw failure("a text is missing") }
        let isTriple = bytes[position...].starts(with: [quote, quote, quote])
        position += isTriple ? 3 : 1
        var text: [UInt8] = []
        while let byte = peek {
            if isTriple ? bytes[position...].starts(with: [quote, quote, quote]) : byte == quote {
                position += isTriple ? 3 : 1
                return String(decoding: text, as: UTF8.self)
            }
            position += 1
            if byte == UInt8(ascii: "\\"), let escaped = peek {
                position += 1
                if isRaw { text += [byte, escaped] } else { try unescape(escaped, into: &text) }
                continue
            }
            text.append(byte)
        }
        throw failure("a text does not end")
    }

    private mutating func unescape(_ byte: UInt8, into text: inout [UInt8]) throws(ActionTextFailure) {
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): text.append(byte)
        case 0x0A: break
        case UInt8(ascii: "x"): try scalar(digits: 2, into: &text)
        case UInt8(ascii: "u"): try scalar(digits: 4, into: &text)
        case UInt8(ascii: "U"): try scalar(digits: 8, into: &text)
        // Python keeps an escape that it does not know.
        default: text += [UInt8(ascii: "\\"), byte]
        }
    }

    private mutating func scalar(digits: Int, into text: inout [UInt8]) throws(ActionTextFailure) {
        let end = min(position + digits, bytes.count)
        guard end - position == digits,
            let code = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(code)
        else { throw failure("an escape is no character") }
        position = end
        text += Array(String(Character(scalar)).utf8)
    }

    // MARK: - Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func atEnd(_ close: UInt8?) -> Bool { close == nil ? peek == nil : peek == close }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    /// A name before a single sign of equality.
    private mutating func keyword() -> String? {
        var end = position
        while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
        var sign = end
        while sign < bytes.count, bytes[sign] == 0x20 { sign += 1 }
        guard end > position, sign < bytes.count, bytes[sign] == UInt8(ascii: "=") else { return nil }
        let name = String(decoding: bytes[position..<end], as: UTF8.self)
        position = sign + 1
        return name
    }

    private func failure(_ message: String) -> ActionTextFailure {
        ActionTextFailure(.arguments, "The arguments cannot be read: \(message), at byte \(position).")
    }
}
