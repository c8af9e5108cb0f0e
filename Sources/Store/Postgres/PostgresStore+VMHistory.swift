public import Fleet
internal import PostgresClient

extension PostgresStore {
    public func vmHistory(_ query: VMHistoryQuery) async throws -> [VMHistoryRecord] {
        var after: ID<Document>?
        var newest = true
        if case .oldestFirst(let last) = query.order { (after, newest) = (last, false) }
        return try await read(
            Self.vmHistoryStatement,
            [query.cell, query.pool, query.since?.description, after?.uuid, newest, max(0, query.limit)]
        ).map(Self.historyRecord)
    }

    private static func historyRecord(_ row: PostgresRow) throws -> VMHistoryRecord {
        let word: String = try row.decode("class")
        guard let workloadClass = WorkloadClass(rawValue: word) else {
            throw StoreError.corrupt("the history of VMs holds an unknown class")
        }
        return VMHistoryRecord(
            uid: try row.id("uid"), project: try row.decode("project"), name: try row.decode("name"),
            cell: try row.decode("cell"), pool: try row.decode("pool"), labels: try row.json("labels"),
            class: workloadClass,
            resources: Resources(milliCPU: try row.decode("cpu"), memoryMiB: try row.decode("mem")),
            devices: try row.decode("devices"), lifetimeHintSeconds: try row.decode("hint", as: Int?.self),
            startedAt: try row.timestamp("started_at"), endedAt: try row.optionalTimestamp("ended_at"),
            stays: try row.json("stays"))
    }

    private static let vmHistoryStatement = Statement(
        name: "vm_history",
        sql: "SELECT * FROM vm_history_1($1, $2, $3::text::timestamptz, $4, $5, $6)")
}
