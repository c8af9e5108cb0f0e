/// What is wrong with a trace, and where.
public struct TraceError: Error, Sendable, Hashable {
    /// What kind of defect it is.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The file is not there or cannot be read.
        case unreadable
        /// The bytes are those of a compressed file.
        case compressed
        case missingHeader
        case missingColumn
        case duplicateColumn
        /// A row ends before the column.
        case missingField
        case badValue
        case outOfRange
        case departsBeforeArrival
        case lineTooLong
        /// No row is left to replay.
        case empty
    }

    /// Closed; tests and callers go by it, people by `description`.
    public var code: Code
    /// Name of the source.
    public var file: String
    /// From 1, the header included.
    public var line: Int?
    /// Name of the column.
    public var column: String?
    /// The text found.
    public var value: String?
    /// What should have been there.
    public var expected: String
    /// The system's own words.
    public var cause: String?

    public init(
        _ code: Code, file: String, line: Int? = nil, column: String? = nil, value: String? = nil,
        expected: String, cause: String? = nil
    ) {
        self.code = code
        self.file = file
        self.line = line
        self.column = column
        self.value = value
        self.expected = expected
        self.cause = cause
    }
}

extension TraceError: CustomStringConvertible {
    /// Such as `vms.csv, line 7, column vcpu: "x" found, a number from 0.001 to 4096 expected`.
    public var description: String {
        var place = file
        if let line { place += ", line \(line)" }
        if let column { place += ", column \(column)" }
        let found = value.map { "\"\($0)\" found, " } ?? ""
        return "\(place): \(found)\(expected) expected" + (cause.map { " (\($0))" } ?? "")
    }
}
