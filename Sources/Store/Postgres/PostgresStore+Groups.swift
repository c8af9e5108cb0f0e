public import Fleet
internal import PostgresClient

extension PostgresStore {
    public func members(of groups: [ID<Document>]) async throws -> [Resource] {
        guard !groups.isEmpty else { return [] }
        return try await read(Self.membersStatement, [groups.map(\.description)]).map(Self.resource)
    }

    public func changeMembers(
        _ change: MemberChange, lease: CellLease, context: WriteContext
    ) async throws -> Bool {
        var drafts = JSONWriter.array()
        for draft in change.made {
            try draft.checkTypes()
            drafts.element(raw: draft.json)
        }
        var events = JSONWriter.array()
        for event in change.events { events.element(raw: event.json) }
        let row = try await write(
            Self.changeStatement,
            [
                lease.cell, lease.token, change.group.uuid, change.generation, JSONText(drafts.closed),
                change.gone.map(\.uuid), JSONText(events.closed), context.actor, context.requestID,
                context.verb,
            ]
        ).first
        return try row?.decode("changed") ?? false
    }

    public func finalizeGroups(_ groups: [ID<Document>], lease: CellLease) async throws -> [ID<Document>] {
        try await write(Self.finalizeStatement, [lease.cell, lease.token, groups.map(\.uuid)])
            .map { try $0.id("uid") }
    }

    /// Worded as the index of members is.
    private static let membersStatement = Statement(
        name: "group_members",
        sql: """
            SELECT \(columns) FROM document d
            WHERE kind = 'VM' AND spec ? 'group' AND spec #>> '{group,uid}' = ANY ($1)
            ORDER BY project, name
            """)
    private static let changeStatement = Statement(
        name: "group_change",
        sql: "SELECT group_change_1($1, $2, $3, $4, $5::jsonb, $6, $7::jsonb, $8, $9, $10) AS changed")
    private static let finalizeStatement = Statement(
        name: "group_finalize", sql: "SELECT u AS uid FROM group_finalize_1($1, $2, $3) u")
}
