/// Fields of comma-separated text (RFC 4180).
enum CommaSeparated {
    static func field(_ text: String) -> String {
        let needsQuotes = text.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }

    static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") }

    static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header] + rows).map(line).joined(separator: "\n") + "\n"
    }
}
