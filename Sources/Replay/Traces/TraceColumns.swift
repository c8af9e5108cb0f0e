/// Which field of a row holds what.
struct TraceColumns {
    static let batch = "batch_id"

    /// Names, in the order in which the parser asks for them.
    let names: [String]
    /// Positions, in the order of `names`.
    let positions: [Int]
    /// Position of `batch_id` when a shard asks for it.
    let batch: Int?
    /// Positions of columns that need not be there; nil where they are not.
    let optional: [Int?]

    /// Finds the columns by name, in any order and case; others are ignored.
    ///
    /// - Throws: `missingColumn` or `duplicateColumn`.
    init(
        _ required: [String], optional: [String] = [], header names: [String], line: Int, file: String,
        needsBatch: Bool = false
    ) throws(TraceError) {
        let names = names.map { $0.lowercased() }
        var positions: [Int] = []
        for column in required {
            positions.append(try Self.position(of: column, in: names, line: line, file: file))
        }
        self.optional = optional.map { names.firstIndex(of: $0) }
        self.names = required
        self.positions = positions
        batch = needsBatch ? try Self.position(of: Self.batch, in: names, line: line, file: file) : nil
    }

    private static func position(
        of column: String, in names: [String], line: Int, file: String
    ) throws(TraceError) -> Int {
        guard let position = names.firstIndex(of: column) else {
            throw TraceError(
                .missingColumn, file: file, line: line, column: column, value: names.joined(separator: ","),
                expected: "a header that names \(column)")
        }
        guard !names[(position + 1)...].contains(column) else {
            throw TraceError(
                .duplicateColumn, file: file, line: line, column: column, value: names.joined(separator: ","),
                expected: "one column of that name")
        }
        return position
    }
}
