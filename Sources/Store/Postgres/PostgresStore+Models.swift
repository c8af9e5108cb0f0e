public import Fleet
internal import PostgresClient

extension PostgresStore {
    public func createModel(
        _ draft: DocumentDraft, file: String, lease: CellLease?, context: WriteContext, isTrial: Bool
    ) async throws -> Resource {
        let rows = try await write(
            isTrial: isTrial, Self.createModelStatement,
            [
                JSONText("[\(draft.json)]"), file, lease?.cell, lease?.token, context.actor,
                context.requestID, context.verb,
            ])
        guard let row = rows.first else { throw StoreError.corrupt("a created model is missing") }
        return try Version(row).resource(of: draft, uid: draft.uid)
    }

    public func modelFile(_ uid: ID<Document>) async throws -> String? {
        try await read(Self.modelFileStatement, [uid.uuid]).first?.decode("content")
    }

    public func changeModels(
        _ change: ModelChange, lease: CellLease?, context: WriteContext, isTrial: Bool
    ) async throws -> Bool {
        var expected = JSONWriter.object()
        for (uid, text) in change.expected.sorted(by: { $0.key < $1.key }) {
            // What is no version is not the one in force.
            guard let version = FeedCursor(text) else { return false }
            var object = JSONWriter.object()
            object.member("xid", String(version.transaction))
            object.member("seq", raw: String(version.sequence))
            expected.member(uid.description, raw: object.closed)
        }
        var statuses = JSONWriter.object()
        for (uid, status) in change.statuses.sorted(by: { $0.key < $1.key }) {
            statuses.member(uid.description, raw: status)
        }
        var events = JSONWriter.array()
        for event in change.events { events.element(raw: event.json) }
        let row = try await write(
            isTrial: isTrial, Self.changeModelsStatement,
            [
                lease?.cell, lease?.token, JSONText(expected.closed), JSONText(statuses.closed),
                JSONText(events.closed), change.subject, context.actor, context.requestID, context.verb,
            ]
        ).first
        return try row?.decode("changed") ?? false
    }

    private static let createModelStatement = Statement(
        name: "model_create",
        sql: """
            SELECT o_uid, o_xid, o_seq, o_at, (SELECT epoch FROM cluster) AS epoch
            FROM model_create_1($1::jsonb, $2, $3, $4, $5, $6, $7)
            """)
    private static let modelFileStatement = Statement(
        name: "model_file", sql: "SELECT content FROM model_file WHERE model = $1")
    private static let changeModelsStatement = Statement(
        name: "model_change",
        sql: "SELECT model_change_1($1, $2, $3::jsonb, $4::jsonb, $5::jsonb, $6, $7, $8, $9) AS changed")
}
