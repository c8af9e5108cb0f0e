import Fleet

/// The fields of the rows of one file, as numbers: what all parsers of tables share.
struct RowFields: ~Copyable {
    let file: String
    private var columns: TraceColumns?
    private var row = CSVRow()

    init(file: String) { self.file = file }

    /// Splits a line; the first that is not blank is the header.
    ///
    /// - Returns: false for a header and for a blank line.
    mutating func split(
        _ line: Span<UInt8>, _ number: Int, columns names: [String], optional: [String] = [],
        needsBatch: Bool = false
    ) throws(TraceError) -> Bool {
        guard !Self.isBlank(line) else { return false }
        row.split(line)
        guard columns == nil else { return true }
        let header = row.fields.indices.map { row.text($0, of: line) }
        columns = try TraceColumns(
            names, optional: optional, header: header, line: number, file: file, needsBatch: needsBatch)
        return false
    }

    private static func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] > UInt8(ascii: " ") { return false }
        return true
    }

    /// - Throws: `missingHeader` when no line was split.
    func requireHeader(_ names: [String]) throws(TraceError) {
        guard columns == nil else { return }
        throw TraceError(
            .missingHeader, file: file, line: 1,
            expected: "a header that names \(names.joined(separator: ", "))")
    }

    /// The text of a column that need not be there; nil where it is not, or the row ends before it.
    func optionalText(_ column: Int, _ line: Span<UInt8>) -> String? {
        guard let position = columns?.optional[column], position < row.fields.count else { return nil }
        return row.text(position, of: line)
    }

    /// Whether the header named a column that need not be there.
    func hasOptional(_ column: Int) -> Bool { columns?.optional[column] != nil }

    private func position(_ column: Int) -> Int { columns?.positions[column] ?? 0 }

    private func name(_ column: Int) -> String { columns?.names[column] ?? "" }

    /// The bytes of a required column as they are.
    func text(_ column: Int, _ line: Span<UInt8>) -> String { row.text(position(column), of: line) }

    /// The text of a required column that may not be empty.
    func word(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, expected: String = "a word"
    ) throws(TraceError) -> String {
        let position = position(column)
        guard position < row.fields.count, !row.fields[position].isEmpty else {
            throw defect(name(column), position, line, number, expected: expected)
        }
        return row.text(position, of: line)
    }

    /// The number of a required column with all of its digits.
    func real(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, in range: ClosedRange<Double>, expected: String
    ) throws(TraceError) -> Double {
        guard let value = Double(try word(column, line, number, expected: expected)), range.contains(value)
        else { throw defect(name(column), position(column), line, number, expected: expected) }
        return value
    }

    /// A required column that holds a whole number.
    func whole(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, in range: ClosedRange<Int>
    ) throws(TraceError) -> Int {
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let value = Int(try word(column, line, number, expected: expected)), range.contains(value)
        else { throw defect(name(column), position(column), line, number, expected: expected) }
        return value
    }

    /// What is wrong with the text of a required column.
    func refusal(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, expected: String
    ) -> TraceError {
        defect(name(column), position(column), line, number, expected: expected)
    }

    /// Millionths of the unit of a required column; for times these are microseconds.
    @inline(__always)
    func number(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, expected: String
    ) throws(TraceError) -> Int64 {
        let position = position(column)
        guard position < row.fields.count, let value = DecimalField.millionths(line, row.fields[position])
        else { throw defect(name(column), position, line, number, expected: expected) }
        return value
    }

    func milliCPU(_ column: Int, _ line: Span<UInt8>, _ number: Int) throws(TraceError) -> Int32 {
        try amount(column, line, number, unit: 1000, limit: WorkloadLimit.milliCPU)
    }

    func memoryMiB(_ column: Int, _ line: Span<UInt8>, _ number: Int) throws(TraceError) -> Int32 {
        try amount(column, line, number, unit: 1024, limit: WorkloadLimit.memoryMiB)
    }

    /// A required amount in whole units of `1 / unit`, rounded up.
    @inline(__always)
    private func amount(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, unit: Int64, limit: Int
    ) throws(TraceError) -> Int32 {
        let value = try self.number(column, line, number, expected: "a number above 0")
        // Values past the limit would overflow the product.
        let bounded = min(value, DecimalField.one * Int64(limit))
        let units = (bounded * unit + DecimalField.one - 1) / DecimalField.one
        guard units >= 1, units <= Int64(limit) else {
            throw TraceError(
                .outOfRange, file: file, line: number, column: name(column), value: text(column, line),
                expected: "a number above 0 and at most \(Int64(limit) / unit)")
        }
        return Int32(units)
    }

    /// The number of the batch, where the header was asked for it.
    func batch(_ line: Span<UInt8>, _ number: Int) throws(TraceError) -> Int64 {
        let position = columns?.batch ?? 0
        guard position < row.fields.count, let value = DecimalField.millionths(line, row.fields[position]),
            value % DecimalField.one == 0
        else {
            throw defect(TraceColumns.batch, position, line, number, expected: "a whole number from 0 on")
        }
        return value / DecimalField.one
    }

    private func defect(
        _ column: String, _ position: Int, _ line: Span<UInt8>, _ number: Int, expected: String
    ) -> TraceError {
        guard position < row.fields.count else {
            return TraceError(
                .missingField, file: file, line: number, column: column,
                expected: "field \(position + 1) of the row, which ends after \(row.fields.count),")
        }
        return TraceError(
            .badValue, file: file, line: number, column: column, value: row.text(position, of: line),
            expected: expected)
    }
}
