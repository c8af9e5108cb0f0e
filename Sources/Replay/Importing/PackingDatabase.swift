/// The SQLite file of Azure's packing trace of 2020: VMs with their types, and of each type how much of which
/// machine it takes.
struct PackingDatabase: ~Copyable {
    private static let expected = "an SQLite file of Azure's packing trace, with tables vm and vmType"
    static let columns = TraceFormat.azurePacking2020.columns

    private let file: SQLiteFile

    init(path: String) throws(TraceError) { file = try SQLiteFile(path: path) }

    /// The machine that most types can run on, of equals the lowest: a trace is replayed on one kind.
    func usualMachine() throws(TraceError) -> Int64 {
        var found: Int64?
        try file.forEachRow(
            """
            SELECT CAST(machineId AS INTEGER) FROM vmType GROUP BY machineId
            ORDER BY count(DISTINCT vmTypeId) DESC, CAST(machineId AS INTEGER) LIMIT 1
            """, columns: 1, expected: Self.expected
        ) { (_, texts) throws(TraceError) in found = Int64(texts[0]) }
        guard let found else {
            throw TraceError(.empty, file: file.path, expected: "rows in the table vmType")
        }
        return found
    }

    /// Calls `body` with each VM, in the order of their ids, as the columns of `TraceFormat` have it; sizes
    /// of VMs that cannot run on the machine are 0.
    func forEachVM(
        on machine: Int64, _ body: (Int, [String]) throws(TraceError) -> Void
    ) throws(TraceError) {
        try file.forEachRow(
            """
            SELECT v.vmId, v.tenantId, v.priority, v.starttime, v.endtime, coalesce(max(t.core), 0),
                coalesce(max(t.memory), 0)
            FROM vm v LEFT JOIN vmType t ON t.vmTypeId = v.vmTypeId AND CAST(t.machineId AS INTEGER) = ?1
            GROUP BY v.vmId ORDER BY CAST(v.vmId AS INTEGER), v.vmId
            """, values: [machine], columns: Self.columns.count, expected: Self.expected, body)
    }
}
