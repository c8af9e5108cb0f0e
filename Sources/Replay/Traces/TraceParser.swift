import Fleet

/// Turns lines into VMs, one after another.
struct TraceParser: ~Copyable {
    private let file: String
    private let shard: Shard?
    private var columns: TraceColumns?
    private var row = CSVRow()
    private var vms: [TraceVM] = []

    init(file: String, shard: Shard?) {
        self.file = file
        self.shard = shard
    }

    mutating func parse(_ line: Span<UInt8>, number: Int) throws(TraceError) {
        guard !Self.isBlank(line) else { return }
        row.split(line)
        guard let columns else {
            let names = row.fields.indices.map { row.text($0, of: line) }
            columns = try TraceColumns(header: names, line: number, file: file, needsBatch: shard != nil)
            return
        }
        let vm = try vm(columns, line, number)
        if let shard, let batch = columns.batch {
            guard shard.contains(batch: try self.batch(batch, line, number)) else { return }
        }
        vms.append(vm)
    }

    /// The trace, once every line was parsed.
    consuming func finish() throws(TraceError) -> VMTrace {
        guard columns != nil else {
            throw TraceError(
                .missingHeader, file: file, line: 1,
                expected: "a header that names \(TraceColumns.required.joined(separator: ", "))")
        }
        guard !vms.isEmpty else {
            let kept = shard.map { " of shard \($0.index)/\($0.count)" } ?? ""
            throw TraceError(.empty, file: file, expected: "at least one VM\(kept)")
        }
        return VMTrace(vms: vms)
    }

    private static func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] > UInt8(ascii: " ") { return false }
        return true
    }

    private func vm(_ columns: TraceColumns, _ line: Span<UInt8>, _ number: Int) throws(TraceError) -> TraceVM
    {
        let arrival = try field(0, columns, line, number)
        let departure = try field(1, columns, line, number)
        guard departure >= arrival else {
            throw TraceError(
                .departsBeforeArrival, file: file, line: number, column: TraceColumns.required[1],
                value: row.text(columns.positions[1], of: line),
                expected: "a time at or after arrive_s \(row.text(columns.positions[0], of: line))")
        }
        let milliCPU = try amount(2, columns, line, number, unit: 1000, limit: WorkloadLimit.milliCPU)
        let memoryMiB = try amount(3, columns, line, number, unit: 1024, limit: WorkloadLimit.memoryMiB)
        return TraceVM(arrival: arrival, departure: departure, milliCPU: milliCPU, memoryMiB: memoryMiB)
    }

    /// Millionths of the unit of a required column; for times these are the microseconds of the trace's
    /// clock.
    @inline(__always)
    private func field(
        _ column: Int, _ columns: TraceColumns, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> Int64 {
        let position = columns.positions[column]
        guard position < row.fields.count, let value = DecimalField.millionths(line, row.fields[position])
        else {
            throw defect(
                TraceColumns.required[column], position, line, number,
                expected: column < 2 ? "seconds from 0 on" : "a number above 0")
        }
        return value
    }

    /// A required amount in whole units of `1 / unit`, rounded up.
    @inline(__always)
    private func amount(
        _ column: Int, _ columns: TraceColumns, _ line: Span<UInt8>, _ number: Int, unit: Int64, limit: Int
    ) throws(TraceError) -> Int32 {
        let value = try field(column, columns, line, number)
        // Values past the limit would overflow the product.
        let bounded = min(value, DecimalField.one * Int64(limit))
        let units = (bounded * unit + DecimalField.one - 1) / DecimalField.one
        guard units >= 1, units <= Int64(limit) else {
            throw TraceError(
                .outOfRange, file: file, line: number, column: TraceColumns.required[column],
                value: row.text(columns.positions[column], of: line),
                expected: "a number above 0 and at most \(Int64(limit) / unit)")
        }
        return Int32(units)
    }

    private func batch(_ position: Int, _ line: Span<UInt8>, _ number: Int) throws(TraceError) -> Int64 {
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
