import Fleet
import Foundation

/// Turns published traces into the native one.
///
/// VMs that were there before the first instant start at 0 where the trace says so, and are left out where it
/// does not say since when; those that were there at the end depart at the end with 1 in the column
/// `censored`.
public struct TraceImporter: Sendable {
    public let format: TraceFormat
    /// What fractions of a machine are taken of, where the trace gives sizes so.
    public let machine: HostShape
    /// Which machine's fractions are taken, by its `machineId` in the trace; the one that most types of VM
    /// can run on when nil.
    public let machineID: Int?

    public init(format: TraceFormat, machine: HostShape, machineID: Int? = nil) {
        self.format = format
        self.machine = machine
        self.machineID = machineID
    }

    /// What an import came to.
    public struct Outcome: Sendable, Hashable {
        /// The native trace, with its header, in the order of arrivals.
        public var text: String
        public var vms: Int
        public var censored: Int
        /// Rows without a start, or without CPU and memory, that no replay can use.
        public var leftOut: Int
    }

    private func readDatabase(_ path: String, into table: inout ImportTable) throws(TraceError) {
        guard format == .azurePacking2020 else {
            throw TraceError(
                .unreadable, file: path, expected: "text, as \(format.rawValue) is not read from SQLite,")
        }
        let database = try PackingDatabase(path: path)
        let machine: Int64
        if let machineID { machine = Int64(machineID) } else { machine = try database.usualMachine() }
        try database.forEachVM(on: machine) { (number, texts) throws(TraceError) in
            try table.take(
                ImportedCells(file: path, line: number, names: PackingDatabase.columns, texts: texts))
        }
    }

    /// - Throws: `TraceError` that names file, line, column, value and what was expected.
    public func read(_ source: TraceSource) throws(TraceError) -> Outcome {
        var table = ImportTable(format: format, machine: machine, file: source.name)
        if case .file(let path) = source, try source.isDatabase() {
            try readDatabase(path, into: &table)
            return try table.finish()
        }
        try source.forEachLine { (number, line) throws(TraceError) in try table.take(line, number: number) }
        return try table.finish()
    }
}

/// One VM on its way from one layout to the other.
struct ImportedVM {
    /// Seconds.
    var arrival: Double
    /// Nil while nothing says when.
    var departure: Double?
    var vCPU: Double
    var gibibytes: Double
    var extras: [String]
}

/// Rows as they are read.
private struct ImportTable: ~Copyable {
    let format: TraceFormat
    let machine: HostShape
    let file: String
    private var row = CSVRow()
    private var columns: TraceColumns?
    private var vms: [ImportedVM] = []
    private var leftOut = 0
    /// Time of the latest event, at which VMs without an end were last seen.
    private var end = 0.0
    /// Position in `vms` of the VMs that are there, by their ids, where creations and deletions are rows.
    private var running: [String: Int] = [:]
    /// Numbers of deployments in their order.
    private var batches: [String: Int] = [:]

    init(format: TraceFormat, machine: HostShape, file: String) {
        self.format = format
        self.machine = machine
        self.file = file
    }

    mutating func take(_ line: Span<UInt8>, number: Int) throws(TraceError) {
        row.split(line)
        guard row.fields.count > 1 || !row.text(0, of: line).isEmpty else { return }
        guard let columns else {
            let names =
                format.hasHeader ? row.fields.indices.map { row.text($0, of: line) } : format.columns
            columns = try TraceColumns(format.columns, header: names, line: number, file: file)
            if format.hasHeader { return }
            try take(line, number: number)
            return
        }
        var cells: [String] = []
        for (name, position) in zip(columns.names, columns.positions) {
            guard position < row.fields.count else {
                throw TraceError(
                    .missingField, file: file, line: number, column: name,
                    expected: "field \(position + 1) of the row, which ends after \(row.fields.count),")
            }
            cells.append(row.text(position, of: line))
        }
        try take(ImportedCells(file: file, line: number, names: columns.names, texts: cells))
    }

    mutating func take(_ cells: ImportedCells) throws(TraceError) {
        switch format {
        case .azurePacking2020: try packing(cells)
        case .azureV1, .azureV2: try vmTable(cells)
        case .huawei: try event(cells)
        case .openb:
            add(
                arrival: try cells.optional("creation_time"), departure: try cells.optional("deletion_time"),
                vCPU: try cells.number("cpu_milli") / 1000, gibibytes: try cells.number("memory_mib") / 1024,
                extras: [cells["num_gpu"], cells["gpu_milli"], cells["qos"]])
        case .dlrm:
            add(
                arrival: try cells.optional("creation_time"), departure: try cells.optional("deletion_time"),
                vCPU: try cells.number("cpu_request"), gibibytes: try cells.number("memory_request"),
                extras: ["app_name", "role", "gpu_request", "rdma_request", "disk_request"].map { cells[$0] }
                    + [cells["max_instance_per_node"]])
        }
    }

    /// Times in days, sizes as shares of a machine; a negative start is before the first instant.
    private mutating func packing(_ cells: ImportedCells) throws(TraceError) {
        let days = 86_400.0
        add(
            arrival: max(0, try cells.number("starttime", isNegativeAllowed: true) * days),
            departure: try cells.optional("endtime").map { $0 * days },
            vCPU: try cells.number("core") * Double(machine.resources.milliCPU) / 1000,
            gibibytes: try cells.number("memory") * Double(machine.resources.memoryMiB) / 1024,
            extras: [cells["tenantid"], cells["priority"]])
    }

    /// Sizes are the upper ends of buckets; `>24` cores and `>64` GB count as the next size sold, 32 and 128.
    private mutating func vmTable(_ cells: ImportedCells) throws(TraceError) {
        let batch = batches[cells["deploymentid"]] ?? batches.count
        batches[cells["deploymentid"]] = batch
        add(
            arrival: try cells.number("created"), departure: try cells.number("deleted"),
            vCPU: cells["cores"] == ">24" ? 32 : try cells.number("cores"),
            gibibytes: cells["memory"] == ">64" ? 128 : try cells.number("memory"),
            extras: [String(batch), cells["subscriptionid"], cells["category"]])
    }

    /// Type 0 creates a VM, 1 deletes it.
    private mutating func event(_ cells: ImportedCells) throws(TraceError) {
        let time = try cells.number("time")
        end = max(end, time)
        switch cells["type"] {
        case "0":
            guard running[cells["vmid"]] == nil else {
                throw cells.defect("vmid", expected: "a VM that is not there yet")
            }
            let count = vms.count
            add(
                arrival: time, departure: nil, vCPU: try cells.number("cpu"),
                gibibytes: try cells.number("memory"), extras: [])
            if vms.count > count { running[cells["vmid"]] = count }
        case "1":
            // One that was there before the first row has no start.
            guard let index = running.removeValue(forKey: cells["vmid"]) else {
                leftOut += 1
                return
            }
            vms[index].departure = time
        default: throw cells.defect("type", expected: "0 or 1")
        }
    }

    private mutating func add(
        arrival: Double?, departure: Double?, vCPU: Double, gibibytes: Double, extras: [String]
    ) {
        end = max(end, arrival ?? 0, departure ?? 0)
        guard let arrival, vCPU > 0, gibibytes > 0 else {
            leftOut += 1
            return
        }
        vms.append(
            ImportedVM(
                arrival: arrival, departure: departure, vCPU: vCPU, gibibytes: gibibytes, extras: extras))
    }

    consuming func finish() throws(TraceError) -> TraceImporter.Outcome {
        guard !vms.isEmpty else {
            throw TraceError(.empty, file: file, expected: "at least one VM with a start and a size")
        }
        var lines = [
            (["arrive_s", "depart_s", "vcpu", "mem_gb"] + format.extras + [VMTrace.censoredColumn])
                .joined(separator: ",")
        ]
        var censored = 0
        let order = vms.indices.sorted { (vms[$0].arrival, $0) < (vms[$1].arrival, $1) }
        for index in order {
            let vm = vms[index]
            // Azure's table has the end of the trace where a VM outlived it.
            let isCensored = vm.departure.map { !format.hasHeader && $0 >= end } ?? true
            censored += isCensored ? 1 : 0
            let times = [vm.arrival, max(vm.arrival, vm.departure ?? end), vm.vCPU, vm.gibibytes]
            lines.append(
                (times.map(NativeField.text) + vm.extras.map(NativeField.quoted) + [isCensored ? "1" : "0"])
                    .joined(separator: ","))
        }
        return TraceImporter.Outcome(
            text: lines.joined(separator: "\n") + "\n", vms: vms.count, censored: censored, leftOut: leftOut)
    }
}
