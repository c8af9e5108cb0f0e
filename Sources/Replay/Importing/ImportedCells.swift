import Foundation

/// The cells of one row by their columns' names.
struct ImportedCells {
    let file: String
    let line: Int
    let names: [String]
    let texts: [String]

    /// Empty for a column that is not among the names.
    subscript(name: String) -> String { names.firstIndex(of: name).map { texts[$0] } ?? "" }

    /// Times and sizes stay below what a trace may hold.
    private static let limit = 1e12

    func number(_ name: String, isNegativeAllowed: Bool = false) throws(TraceError) -> Double {
        let least = isNegativeAllowed ? -Self.limit : 0
        guard let value = Double(self[name]), value >= least, value < Self.limit else {
            throw defect(name, expected: isNegativeAllowed ? "a number" : "a number from 0 on")
        }
        return value
    }

    /// Nil for an empty cell, and for `NULL`.
    func optional(_ name: String) throws(TraceError) -> Double? {
        let text = self[name]
        return text.isEmpty || text.uppercased() == "NULL" ? nil : try number(name)
    }

    func defect(_ name: String, expected: String) -> TraceError {
        TraceError(.badValue, file: file, line: line, column: name, value: self[name], expected: expected)
    }
}

/// Fields of the native trace as text.
enum NativeField {
    /// At most six decimals, without exponent.
    static func text(_ value: Double) -> String {
        guard value != value.rounded() else { return String(Int64(value)) }
        var text = String(format: "%.6f", value)
        while text.hasSuffix("0") { text.removeLast() }
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    static func quoted(_ text: String) -> String {
        text.contains { $0 == "," || $0 == "\"" } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
