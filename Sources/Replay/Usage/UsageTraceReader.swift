internal import Oversubscription

/// Reads traces of use: a header, then one line per VM with all of its samples, as text or compressed with
/// gzip.
///
/// The header names `vm`, `cores`, `t0_unix` and `step_s`, in any order and among other columns, and ends
/// with one whose name begins with `values_cpu_pct_x100`: from there on, a line holds hundredths of percent
/// of the VM's cores, with nothing between two commas where a sample is missing. Above 100 % counts as 100 %.
public struct UsageTraceReader: Sendable {
    public init() {}

    /// - Throws: `TraceError` for the first line that is not as described.
    public func read(_ source: TraceSource) throws(TraceError) -> UsageTrace {
        let bytes = try GzipText.bytes(of: source)
        var parser = UsageParser(file: source.name)
        var start = 0
        var number = 0
        let text = bytes.span
        while start < text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
            number += 1
            try parser.parse(text.extracting(start..<end), number: number)
            start = end + 1
        }
        return try parser.finish()
    }
}

/// Turns lines into series, one after another.
private struct UsageParser: ~Copyable {
    private static let valuesPrefix = "values_cpu_pct_x100"
    private static let columns = ["vm", "cores", "t0_unix", "step_s"]

    /// A day: windows of the day mean nothing above.
    private static let stepLimit: Int64 = 86_400

    private let file: String
    /// Positions of `columns`, and where samples begin.
    private var positions: (columns: [Int], values: Int)?
    private var row = CSVRow()
    private var names: Set<String> = []
    private var series: [UsageSeries] = []

    init(file: String) { self.file = file }

    mutating func parse(_ line: Span<UInt8>, number: Int) throws(TraceError) {
        row.split(line)
        if row.fields.count == 1, row.fields[0].isEmpty { return }
        guard let positions else {
            positions = try header(line, number)
            return
        }
        guard row.fields.count >= positions.values else {
            throw TraceError(
                .missingField, file: file, line: number, column: Self.columns.last,
                expected: "\(positions.values) fields before the samples")
        }
        let name = row.text(positions.columns[0], of: line)
        guard names.insert(name).inserted else {
            throw defect(0, line, number, expected: "a VM that no line before has")
        }
        let cores = try self.number(1, line, number, expected: "a number of cores from 0 on")
        let start = try self.number(2, line, number, expected: "seconds from 0 on")
        let step = try self.number(3, line, number, expected: "whole seconds")
        guard step >= DecimalField.one, step <= Self.stepLimit * DecimalField.one,
            step % DecimalField.one == 0,
            step / DecimalField.one == Int64(series.first?.stepSeconds ?? Int(step / DecimalField.one))
        else {
            throw defect(
                3, line, number, expected: "1 to \(Self.stepLimit) whole seconds, the same in every line")
        }
        series.append(
            UsageSeries(
                name: name, cores: Double(cores) / Double(DecimalField.one),
                startSeconds: Int(start / DecimalField.one), stepSeconds: Int(step / DecimalField.one),
                samples: try samples(from: positions.values, line, number)))
    }

    consuming func finish() throws(TraceError) -> UsageTrace {
        guard positions != nil else {
            throw TraceError(
                .missingHeader, file: file, line: 1,
                expected: "a header that names \(Self.columns.joined(separator: ", "))")
        }
        guard let first = series.first else {
            throw TraceError(.empty, file: file, expected: "at least one VM")
        }
        return UsageTrace(series: series, stepSeconds: first.stepSeconds)
    }

    private func header(
        _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> (columns: [Int], values: Int) {
        let names = row.fields.indices.map { row.text($0, of: line) }
        guard let values = names.firstIndex(where: { $0.hasPrefix(Self.valuesPrefix) }) else {
            throw TraceError(
                .missingColumn, file: file, line: number, column: Self.valuesPrefix,
                expected: "a last column of that name")
        }
        var found: [Int] = []
        for column in Self.columns {
            guard let position = names[..<values].firstIndex(of: column) else {
                throw TraceError(
                    .missingColumn, file: file, line: number, column: column,
                    expected: "a column of that name before the samples")
            }
            found.append(position)
        }
        return (found, values)
    }

    private func number(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, expected: String
    ) throws(TraceError) -> Int64 {
        let position = positions?.columns[column] ?? 0
        guard let value = DecimalField.millionths(line, row.fields[position]) else {
            throw defect(column, line, number, expected: expected)
        }
        return value
    }

    private func samples(
        from start: Int, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> [UInt16] {
        var samples: [UInt16] = []
        samples.reserveCapacity(row.fields.count - start)
        for position in start..<row.fields.count {
            let field = row.fields[position]
            guard !field.isEmpty else {
                samples.append(UsageSeries.missing)
                continue
            }
            guard let value = DecimalField.millionths(line, field) else {
                throw TraceError(
                    .badValue, file: file, line: number, column: "sample \(position - start + 1)",
                    value: row.text(position, of: line), expected: "hundredths of percent from 0 on")
            }
            let share = (value + DecimalField.one / 2) / DecimalField.one
            samples.append(UInt16(min(share, Int64(UsageSeries.full))))
        }
        return samples
    }

    private func defect(
        _ column: Int, _ line: Span<UInt8>, _ number: Int, expected: String
    ) -> TraceError {
        TraceError(
            .badValue, file: file, line: number, column: Self.columns[column],
            value: row.text(positions?.columns[column] ?? 0, of: line), expected: expected)
    }
}
