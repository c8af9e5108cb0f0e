/// Turns lines into VMs, one after another.
struct TraceParser: ~Copyable {
    static let columns = ["arrive_s", "depart_s", "vcpu", "mem_gb"]

    private let shard: Shard?
    private let names: [String]
    private var fields: RowFields
    private var vms: [TraceVM] = []
    private var kept: [TraceColumn]

    init(file: String, shard: Shard?, columns: [String]) {
        self.shard = shard
        names = columns.map { $0.lowercased() }
        fields = RowFields(file: file)
        kept = names.map(TraceColumn.init)
    }

    mutating func parse(_ line: Span<UInt8>, number: Int) throws(TraceError) {
        guard
            try fields.split(
                line, number, columns: Self.columns, optional: names, needsBatch: shard != nil)
        else { return }
        let vm = try vm(line, number)
        if let shard {
            guard shard.contains(batch: try fields.batch(line, number)) else { return }
        }
        vms.append(vm)
        for column in kept.indices { kept[column].append(fields.optionalText(column, line)) }
    }

    /// The trace, once every line was parsed.
    consuming func finish() throws(TraceError) -> VMTrace {
        try fields.requireHeader(Self.columns)
        guard !vms.isEmpty else {
            let kept = shard.map { " of shard \($0.index)/\($0.count)" } ?? ""
            throw TraceError(.empty, file: fields.file, expected: "at least one VM\(kept)")
        }
        var present: [TraceColumn] = []
        for column in kept.indices where fields.hasOptional(column) { present.append(kept[column]) }
        return VMTrace(vms: vms, columns: present)
    }

    private func vm(_ line: Span<UInt8>, _ number: Int) throws(TraceError) -> TraceVM {
        let arrival = try fields.number(0, line, number, expected: "seconds from 0 on")
        let departure = try fields.number(1, line, number, expected: "seconds from 0 on")
        guard departure >= arrival else {
            throw TraceError(
                .departsBeforeArrival, file: fields.file, line: number, column: Self.columns[1],
                value: fields.text(1, line),
                expected: "a time at or after arrive_s \(fields.text(0, line))")
        }
        let milliCPU = try fields.milliCPU(2, line, number)
        let memoryMiB = try fields.memoryMiB(3, line, number)
        return TraceVM(arrival: arrival, departure: departure, milliCPU: milliCPU, memoryMiB: memoryMiB)
    }
}
