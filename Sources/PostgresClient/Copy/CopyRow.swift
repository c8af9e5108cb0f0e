public import Foundation

/// One line of COPY's text format, built field by field.
///
///     var row = CopyRow()
///     row.append(42)
///     row.append("a\tb")
///     row.appendNull()
public struct CopyRow: Sendable {
    private var fields: [UInt8] = []
    private var isEmpty = true

    public init() {}

    /// A line of text fields; nil is NULL.
    public init(_ fields: [String?]) {
        for field in fields {
            if let field { append(field) } else { appendNull() }
        }
    }

    public mutating func appendNull() {
        appendRaw("\\N")
    }

    /// Text, or any value in the form in which the server reads its type.
    public mutating func append(_ value: String) {
        startField()
        var value = value
        value.withUTF8 { bytes in
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "\\"): fields += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
                case UInt8(ascii: "\n"): fields += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
                case UInt8(ascii: "\r"): fields += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
                case UInt8(ascii: "\t"): fields += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
                default: fields.append(byte)
                }
            }
        }
    }

    public mutating func append(_ value: some FixedWidthInteger) {
        appendRaw(String(value))
    }

    public mutating func append(_ value: Double) {
        appendRaw(String(value))
    }

    public mutating func append(_ value: Bool) {
        appendRaw(value ? "t" : "f")
    }

    public mutating func append(_ value: UUID) {
        appendRaw(value.uuidString)
    }

    public mutating func append(_ value: JSONText) {
        append(value.text)
    }

    /// A `bytea`.
    public mutating func append(bytes: [UInt8]) {
        startField()
        fields += Array("\\\\x".utf8)
        let digits = Array("0123456789abcdef".utf8)
        for byte in bytes {
            fields.append(digits[Int(byte >> 4)])
            fields.append(digits[Int(byte & 15)])
        }
    }

    /// A timestamp with time zone, to the microsecond. Throws `value.encoding` when it is not finite.
    public mutating func append(_ value: Date) throws {
        appendRaw(try CopyTimestamp.text(of: value))
    }

    /// The line with its end.
    func write(to buffer: inout [UInt8]) {
        buffer.append(contentsOf: fields)
        buffer.append(UInt8(ascii: "\n"))
    }

    private mutating func appendRaw(_ text: String) {
        startField()
        fields.append(contentsOf: text.utf8)
    }

    private mutating func startField() {
        if !isEmpty { fields.append(UInt8(ascii: "\t")) }
        isEmpty = false
    }
}
