internal import Logging

/// A value of a log line, with everything in it that could end the line or steer a terminal written as an
/// escape.
enum LogField {
    /// Longest text of one field, in scalars: a body that ends up in an error must not fill a disk.
    static let longest = 8192

    /// A value in quotes, valid in JSON and in logfmt.
    static func quoted(_ text: String) -> String {
        var line = "\""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            guard index < longest else {
                line += "…"
                break
            }
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where isHidden(scalar): line += escape(scalar)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line + "\""
    }

    /// The bare value where logfmt can tell its end.
    static func logfmt(_ text: String) -> String {
        let isBare =
            !text.isEmpty && text.utf8.count <= longest
            && text.unicodeScalars.allSatisfy { scalar in
                scalar != " " && scalar != "\"" && scalar != "=" && scalar != "\\" && !isHidden(scalar)
            }
        return isBare ? text : quoted(text)
    }

    /// Keys are ours, but metadata of libraries is not: whatever is no part of a plain word becomes `_`.
    static func key(_ text: String) -> String {
        let clean = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "_" }
        return clean.isEmpty ? "_" : String(clean)
    }

    static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let value): quoted(value.description)
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }
                .joined(separator: ",") + "}"
        }
    }

    static func logfmt(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): logfmt(text)
        case .stringConvertible(let value): logfmt(value.description)
        case .array, .dictionary: logfmt(json(value))
        }
    }

    /// Control characters of ASCII and Latin-1, line separators and marks that reorder text.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// `\u` and four hexadecimal digits; all hidden scalars fit.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
