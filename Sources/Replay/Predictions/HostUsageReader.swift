public import Oversubscription

/// Reads what the VMs of one host used, one line per step and VM: `t`, `vm`, `usage_cores`, `limit_cores`.
///
/// `t` counts steps from 0 on and never falls; a step without a line is one without VMs.
public struct HostUsageReader: Sendable {
    private static let columns = ["t", "vm", "usage_cores", "limit_cores"]
    /// Some decades of five minutes.
    private static let stepLimit: Int64 = 10_000_000

    public init() {}

    /// - Returns: the samples of each step, in the order of the file.
    /// - Throws: `TraceError` for the first line that is not as described.
    public func read(_ source: TraceSource) throws(TraceError) -> [[VMSample]] {
        let text = TraceSource.bytes(try GzipText.bytes(of: source), name: source.name)
        var fields = RowFields(file: source.name)
        var steps: [[VMSample]] = []
        try text.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.columns) else { return }
            let step = try Self.whole(0, fields, line, number)
            guard step <= Self.stepLimit, step + 1 >= steps.count else {
                throw TraceError(
                    .badValue, file: source.name, line: number, column: Self.columns[0],
                    value: fields.text(0, line),
                    expected: "a step at or after that of the line before, at most \(Self.stepLimit),")
            }
            while steps.count <= Int(step) { steps.append([]) }
            let vm = Int(try Self.whole(1, fields, line, number))
            guard !steps[Int(step)].contains(where: { $0.vm == vm }) else {
                throw TraceError(
                    .badValue, file: source.name, line: number, column: Self.columns[1], value: "\(vm)",
                    expected: "a VM at most once per step")
            }
            steps[Int(step)].append(
                VMSample(
                    vm: vm, usage: try Self.cores(2, fields, line, number),
                    limit: try Self.cores(3, fields, line, number)))
        }
        try fields.requireHeader(Self.columns)
        guard !steps.isEmpty else {
            throw TraceError(.empty, file: source.name, expected: "at least one sample")
        }
        return steps
    }

    private static func whole(
        _ column: Int, _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> Int64 {
        let value = try fields.number(column, line, number, expected: "a whole number from 0 on")
        guard value % DecimalField.one == 0 else {
            throw TraceError(
                .badValue, file: fields.file, line: number, column: columns[column],
                value: fields.text(column, line), expected: "a whole number from 0 on")
        }
        return value / DecimalField.one
    }

    /// Read as the nearest double, not in millionths: figures are compared to nine digits.
    private static func cores(
        _ column: Int, _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> Double {
        let expected = "a number of cores from 0 on"
        let text = fields.text(column, line)
        guard let value = Double(text), value.isFinite, value >= 0 else {
            throw TraceError(
                .badValue, file: fields.file, line: number, column: columns[column], value: text,
                expected: expected)
        }
        return value
    }
}
