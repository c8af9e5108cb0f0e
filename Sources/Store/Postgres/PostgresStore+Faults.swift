public import FaultLab
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func faultBook() async throws -> VersionedFaultBook {
        guard let row = try await read(Self.faultBookStatement).first else {
            throw StoreError.corrupt("the book of faults is missing")
        }
        return VersionedFaultBook(book: try row.json("book"), version: try row.decode("version"))
    }

    public func commitFaults(
        _ change: FaultBookChange, version: Int64, context: WriteContext?
    ) async throws -> Bool {
        func text(_ value: some Encodable) throws -> JSONText {
            JSONText(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
        }
        let row = try await write(
            Self.commitFaultsStatement,
            [
                version, try change.killSwitch.map(text), try text(change.faults),
                try text(change.injectors), context?.actor, context?.requestID, context?.verb, change.subject,
            ]
        ).first
        return try row?.decode("written") ?? false
    }

    public func faults(limit: Int) async throws -> [FaultRecord] {
        try await read(Self.faultsStatement, [limit]).map { try $0.json("record") }
    }

    public func fault(_ name: String) async throws -> FaultRecord? {
        try await read(Self.faultStatement, [name]).first?.json("record")
    }

    private static let faultBookStatement = Statement(
        name: "fault_book",
        sql: """
            SELECT version, jsonb_strip_nulls(jsonb_build_object('killSwitch', kill_switch)) || jsonb_build_object(
                'injectors', coalesce((SELECT jsonb_object_agg(name, entry) FROM fault_injector), '{}'),
                'faults', coalesce((SELECT jsonb_object_agg(name, record) FROM fault WHERE is_open), '{}')) AS book
            FROM fault_book
            """)
    private static let commitFaultsStatement = Statement(
        name: "fault_commit",
        sql: """
            SELECT fault_commit_1($1::bigint, $2::jsonb, $3::jsonb, $4::jsonb, $5, $6, $7, $8) AS written
            """)
    private static let faultsStatement = Statement(
        name: "faults",
        sql: "SELECT record FROM fault ORDER BY created_at DESC, name COLLATE \"C\" DESC LIMIT $1")
    private static let faultStatement = Statement(
        name: "fault_get", sql: "SELECT record FROM fault WHERE name = $1")
}
