public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    static let columns = """
        d.uid, d.kind, d.project, d.name, d.labels, d.annotations, d.generation, d.revision, d.rv_xid, d.rv_seq, \
        d.created_at, d.deletion_at, d.finalizers, d.spec, d.status, (SELECT epoch FROM cluster) AS epoch
        """

    public func create(_ drafts: [DocumentDraft], context: WriteContext) async throws -> [Resource] {
        guard !drafts.isEmpty else { return [] }
        var list = JSONWriter.array()
        for draft in drafts {
            try draft.checkTypes()
            list.element(raw: draft.json)
        }
        let rows = try await write(
            Self.createStatement, [JSONText(list.closed), context.actor, context.requestID, context.verb])
        let versions = Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.id("o_uid") as ID<Document>, try Version($0)) })
        return try drafts.map { draft in
            guard let version = versions[draft.uid] else {
                throw StoreError.corrupt("a created document is missing")
            }
            return version.resource(of: draft, uid: draft.uid)
        }
    }

    public func create(_ draft: DocumentDraft, key: IdempotencyKey, context: WriteContext) async throws
        -> (resource: Resource, replayed: Bool)
    {
        try draft.checkTypes()
        let rows = try await write(
            Self.createOnceStatement,
            [
                key.key, key.requestHash, JSONText("[\(draft.json)]"), context.actor, context.requestID,
                context.verb,
            ])
        guard let row = rows.first else { throw StoreError.corrupt("a created document is missing") }
        let replayed: Bool = try row.decode("o_replayed")
        let first = replayed ? try Self.draft(row) : draft
        return (try Version(row).resource(of: first, uid: first.uid), replayed)
    }

    /// The draft that a key was spent on.
    private static func draft(_ row: PostgresRow) throws -> DocumentDraft {
        let kind: String = try row.decode("kind")
        guard let kind = Kind(rawValue: kind) else { throw StoreError.corrupt("unknown kind \(kind)") }
        let project: String = try row.decode("project")
        return DocumentDraft(
            uid: try row.id("uid"), kind: kind, project: project.isEmpty ? nil : project,
            name: try row.decode("name"), labels: try row.json("labels"),
            annotations: try row.json("annotations"), finalizers: try row.json("finalizers"),
            spec: try row.decode("spec", as: JSONText.self).text,
            status: try row.decode("status", as: JSONText.self).text)
    }

    public func document(_ kind: Kind, project: String?, name: String) async throws -> Resource? {
        try await read(Self.getStatement, [kind.rawValue, project ?? "", name]).first.map(Self.resource)
    }

    public func documents(_ kind: Kind, uids: [ID<Document>]) async throws -> [Resource] {
        guard !uids.isEmpty else { return [] }
        return try await read(Self.getManyStatement, [kind.rawValue, uids.map(\.uuid)]).map(Self.resource)
    }

    public func list(_ query: ListQuery) async throws -> DocumentPage {
        let position = try await feedPosition()
        let rows = try await read(
            Self.listStatement,
            [
                query.kind.rawValue, query.project, query.after?.project ?? "", query.after?.name ?? "",
                JSONText(query.labels.json), query.name, query.cell, query.limit + 1, query.projects,
                JSONText(query.fields.json),
            ])
        return DocumentPage(
            documents: try rows.prefix(query.limit).map(Self.resource), more: rows.count > query.limit,
            position: position)
    }

    public func update(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext,
        change: @Sendable (inout Resource) throws -> Void
    ) async throws -> Resource {
        try await transaction("document_update") { connection in
            let found = try await connection.query(
                Self.lockStatement, [kind.rawValue, project ?? "", name]
            ).first.map(Self.resource)
            guard let before = found else { throw StoreError.notFound(kind: kind, name: name) }
            if case .entityTag(let tag) = precondition, tag != before.metadata.entityTag {
                throw StoreError.preconditionFailed(current: before.metadata.entityTag)
            }
            if before.metadata.deletionTimestamp != nil {
                throw StoreError.beingDeleted(kind: kind, name: name)
            }
            var wanted = before
            try change(&wanted)
            let update = try DocumentUpdate(before: before, wanted: wanted, context: context)
            guard update.isChange else { return before }
            var after = update.after
            let row = try await connection.query(
                Self.updateStatement,
                [
                    after.metadata.uid.uuid, JSONText(after.metadata.labels.json),
                    JSONText(after.metadata.annotations.json), after.metadata.finalizers,
                    JSONText(after.spec), context.actor, context.requestID, context.verb,
                    update.event.reason.rawValue, update.event.message,
                ]
            ).first
            guard let row else { throw StoreError.corrupt("an updated document is missing") }
            after.metadata.generation = try row.decode("o_generation")
            after.metadata.revision = try row.decode("o_revision")
            after.metadata.resourceVersion = try Version.text(row)
            return after
        }
    }

    public func delete(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext
    ) async throws -> (resource: Resource, removed: Bool) {
        var tag: String?
        if case .entityTag(let wanted) = precondition { tag = wanted }
        let rows = try await write(
            Self.deleteStatement,
            [
                kind.rawValue, project ?? "", name, tag, context.actor, context.requestID, context.verb,
            ])
        guard let row = rows.first else { throw StoreError.corrupt("a deleted document is missing") }
        return (try Self.resource(row), try row.decode("o_removed"))
    }

    static func resource(_ row: PostgresRow) throws -> Resource {
        let text: String = try row.decode("kind")
        guard let kind = Kind(rawValue: text) else { throw StoreError.corrupt("unknown kind \(text)") }
        let project: String = try row.decode("project")
        let metadata = Metadata(
            name: try row.decode("name"), uid: try row.id("uid"), project: project.isEmpty ? nil : project,
            labels: try strings(row, "labels"), annotations: try strings(row, "annotations"),
            generation: try row.decode("generation"), revision: try row.decode("revision"),
            resourceVersion: FeedCursor(
                epoch: try row.decode("epoch"), transaction: try row.decode("rv_xid"),
                sequence: try row.decode("rv_seq")
            ).text,
            createdAt: try row.timestamp("created_at"),
            deletionTimestamp: try row.optionalTimestamp("deletion_at"),
            finalizers: try row.decode("finalizers"))
        return Resource(
            kind: kind, metadata: metadata, spec: try row.decode("spec", as: JSONText.self).text,
            status: try row.decode("status", as: JSONText.self).text)
    }

    private static func strings(_ row: PostgresRow, _ column: String) throws -> [String: String] {
        let text = try row.decode(column, as: JSONText.self).text
        if text == "{}" { return [:] }
        return try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    }

    /// Version and time that a creation got.
    struct Version {
        var resourceVersion: String
        var createdAt: Timestamp

        init(_ row: PostgresRow) throws {
            resourceVersion = try Self.text(row)
            createdAt = try row.timestamp("o_at")
        }

        static func text(_ row: PostgresRow) throws -> String {
            FeedCursor(
                epoch: try row.decode("epoch"), transaction: try row.decode("o_xid"),
                sequence: try row.decode("o_seq")
            ).text
        }

        func resource(of draft: DocumentDraft, uid: ID<Document>) -> Resource {
            Resource(
                kind: draft.kind,
                metadata: Metadata(
                    name: draft.name, uid: uid, project: draft.project, labels: draft.labels,
                    annotations: draft.annotations, resourceVersion: resourceVersion, createdAt: createdAt,
                    finalizers: draft.finalizers),
                spec: draft.spec, status: draft.status)
        }
    }

    private static let createStatement = Statement(
        name: "document_create",
        sql: """
            SELECT o_uid, o_xid, o_seq, o_at, (SELECT epoch FROM cluster) AS epoch
            FROM document_create_1($1::jsonb, $2, $3, $4)
            """)
    private static let createOnceStatement = Statement(
        name: "document_create_once",
        sql: """
            SELECT (o_draft ->> 'uid')::uuid AS uid, o_draft ->> 'kind' AS kind, o_draft ->> 'project' AS project,
                o_draft ->> 'name' AS name, o_draft -> 'labels' AS labels, o_draft -> 'annotations' AS annotations,
                o_draft -> 'finalizers' AS finalizers, o_draft -> 'spec' AS spec, o_draft -> 'status' AS status,
                o_xid, o_seq, o_at, o_replayed, (SELECT epoch FROM cluster) AS epoch
            FROM document_create_once_1($1, $2, $3::jsonb, $4, $5, $6)
            """)
    private static let getStatement = Statement(
        name: "document_get",
        sql: "SELECT \(columns) FROM document d WHERE kind = $1 AND project = $2 AND name = $3")
    private static let getManyStatement = Statement(
        name: "document_get_many",
        sql: "SELECT \(columns) FROM document d WHERE uid = ANY ($2) AND kind = $1 ORDER BY uid")
    private static let listStatement = Statement(
        name: "document_list",
        sql: """
            SELECT \(columns) FROM document d
            WHERE kind = $1 AND ($2::text IS NULL OR project = $2) AND (project, name) > ($3, $4)
                AND labels @> $5::jsonb AND ($6::text IS NULL OR name = $6)
                AND ($7::text IS NULL OR cell = $7)
                AND ($9::text[] IS NULL OR CASE WHEN kind = 'Project' THEN name ELSE project END = ANY ($9))
                AND ($10::jsonb = '{}' OR NOT EXISTS (
                    SELECT 1 FROM jsonb_each_text($10::jsonb) f
                    WHERE (CASE split_part(f.key, '.', 1) WHEN 'spec' THEN d.spec ELSE d.status END
                           #>> (string_to_array(f.key, '.'))[2:]) IS DISTINCT FROM f.value))
            ORDER BY project, name LIMIT $8
            """)
    private static let lockStatement = Statement(
        name: "document_lock",
        sql: "SELECT \(columns) FROM document_lock_1($1, $2, $3) d")
    private static let updateStatement = Statement(
        name: "document_update",
        sql: """
            SELECT o_generation, o_revision, o_xid, o_seq, (SELECT epoch FROM cluster) AS epoch
            FROM document_update_1($1, $2::jsonb, $3::jsonb, $4, $5::jsonb, $6, $7, $8, $9, $10)
            """)
    private static let deleteStatement = Statement(
        name: "document_delete",
        sql: """
            SELECT (x.o_document).*, x.o_removed, (SELECT epoch FROM cluster) AS epoch
            FROM document_delete_1($1, $2, $3, $4, $5, $6, $7) x
            """)
}
