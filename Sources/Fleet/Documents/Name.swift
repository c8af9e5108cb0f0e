/// The rule for names, projects and label values that become part of paths and tables.
public enum Name {
    /// Longest name: a DNS label, so that a name may become a host name.
    public static let lengthLimit = 63

    /// Why `text` is no name, or nil when it is one: lower-case letters, digits, `-` and `.`, beginning and
    /// ending with a letter or digit.
    public static func defect(in text: String) -> String? {
        guard !text.isEmpty else { return "must not be empty" }
        guard text.utf8.count <= lengthLimit else { return "is longer than \(lengthLimit) bytes" }
        let allowed = text.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        guard allowed else { return "may hold lower-case letters, digits, '-' and '.' only" }
        guard let first = text.utf8.first, let last = text.utf8.last, isAlphanumeric(first),
            isAlphanumeric(last)
        else { return "must begin and end with a letter or digit" }
        return nil
    }

    /// Most characters of a label's key, and of its value.
    public static let labelLengthLimit = 256

    /// Why a label cannot be kept and selected by; nil when it can.
    public static func labelDefect(key: String, value: String) -> String? {
        if key.isEmpty { return "a key is empty" }
        let isShort = [key, value].allSatisfy { $0.unicodeScalars.count <= labelLengthLimit }
        let isPrintable = (key + value).unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
        if isShort, isPrintable { return nil }
        return "\"\(key.prefix(80))\" or its value is above \(labelLengthLimit) characters or not printable"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (48...57).contains(byte)
    }
}
