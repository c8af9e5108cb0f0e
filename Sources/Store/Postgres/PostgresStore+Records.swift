public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func appendEvents(_ events: [EventDraft]) async throws {
        guard !events.isEmpty else { return }
        var list = JSONWriter.array()
        for event in events { list.element(raw: event.json) }
        _ = try await write(Self.appendStatement, [JSONText(list.closed)])
    }

    public func events(_ query: EventQuery) async throws -> [EventRecord] {
        let parameters: [any PostgresEncodable] = [
            query.kind?.rawValue, query.project, query.name, query.reason?.rawValue, query.limit,
            query.projects,
        ]
        if let after = query.after {
            return try await read(Self.eventsAfterStatement, parameters + [after]).map(Self.event)
        }
        return try await read(Self.eventsNewestStatement, parameters).map(Self.event).reversed()
    }

    public func followEvents(_ query: EventQuery, after cursor: FeedCursor) async throws -> EventPage {
        let rows = try await read(
            Self.eventsFollowStatement,
            [
                query.kind?.rawValue, query.project, query.name, query.reason?.rawValue, query.limit,
                query.projects, cursor.transaction, cursor.sequence,
            ])
        guard let epoch = try rows.first?.decode("epoch", as: Int.self), epoch == cursor.epoch else {
            throw StoreError.watchExpired
        }
        // Without a match there is one row, of the epoch alone.
        let found = try rows.filter { try $0.decode("id", as: Int64?.self) != nil }
        let next = try found.last.map {
            FeedCursor(epoch: epoch, transaction: try $0.decode("xid"), sequence: try $0.decode("id"))
        }
        return EventPage(events: try found.map(Self.event), next: next ?? cursor)
    }

    private static func event(_ row: PostgresRow) throws -> EventRecord {
        let kind: String = try row.decode("kind")
        let reason: String = try row.decode("reason")
        guard let kind = Kind(rawValue: kind), let reason = Reason(rawValue: reason) else {
            throw StoreError.corrupt("an event holds an unknown word")
        }
        let project: String = try row.decode("project")
        return EventRecord(
            id: try row.decode("id"), at: try row.timestamp("at"), kind: kind,
            project: project.isEmpty ? nil : project, name: try row.decode("name"), uid: try row.id("uid"),
            reason: reason, message: try row.decode("message"), source: try row.decode("source"))
    }

    public func vmLives(since: Timestamp, limit: Int) async throws -> [VMLife] {
        try await read(Self.livesStatement, [since.description, limit]).map { row in
            VMLife(
                createdAt: try row.timestamp("created"), placedAt: try row.optionalTimestamp("placed"),
                runningAt: try row.optionalTimestamp("running"))
        }
    }

    public func putOperation(_ operation: OperationRecord, context: WriteContext) async throws {
        let content = String(decoding: try JSONEncoder().encode(operation), as: UTF8.self)
        _ = try await write(
            Self.putOperationStatement,
            [
                operation.id.uuid, content, operation.state.rawValue, operation.createdAt.description,
                context.actor, context.requestID, context.verb,
            ])
    }

    public func operation(_ id: ID<OperationRecord>) async throws -> OperationRecord? {
        try await read(Self.operationStatement, [id.uuid]).first.map(Self.operation)
    }

    public func operations(limit: Int) async throws -> [OperationRecord] {
        try await read(Self.operationsStatement, [limit]).map(Self.operation)
    }

    private static func operation(_ row: PostgresRow) throws -> OperationRecord {
        try JSONDecoder().decode(
            OperationRecord.self, from: Data(try row.decode("content", as: String.self).utf8))
    }

    public func createToken(_ token: AccessToken, context: WriteContext, isTrial: Bool) async throws {
        let rows = try await write(
            isTrial: isTrial, Self.createTokenStatement,
            [
                token.secretHash, token.name, token.role.rawValue, token.expiresAt?.description,
                context.actor, context.requestID, context.verb, token.projects,
            ])
        guard !rows.isEmpty else { throw StoreError.alreadyExists(kind: .token, name: token.name) }
    }

    public func token(secretHash: String) async throws -> AccessToken? {
        try await read(Self.tokenStatement, [secretHash]).first.map(Self.token)
    }

    public func tokens(after name: String?, limit: Int) async throws -> [AccessToken] {
        try await read(Self.tokensStatement, [name, limit]).map(Self.token)
    }

    public func deleteToken(_ name: String, context: WriteContext) async throws {
        let rows = try await write(
            Self.deleteTokenStatement, [name, context.actor, context.requestID, context.verb])
        guard !rows.isEmpty else { throw StoreError.notFound(kind: .token, name: name) }
    }

    private static func token(_ row: PostgresRow) throws -> AccessToken {
        let role: String = try row.decode("role")
        guard let role = Role(rawValue: role) else {
            throw StoreError.corrupt("a token has an unknown role")
        }
        return AccessToken(
            name: try row.decode("name"), role: role, projects: try row.decode("projects"),
            secretHash: try row.decode("secret_hash"), expiresAt: try row.optionalTimestamp("expires_at"))
    }

    public func recordRefusal(of name: String, project: String?, context: WriteContext) async throws {
        _ = try await write(
            Self.refusalStatement,
            [context.actor, context.requestID, context.verb, project ?? "", name])
    }

    public func audit(_ query: AuditQuery) async throws -> [AuditRecord] {
        try await read(
            Self.auditStatement,
            [
                query.limit, query.actor, query.verb, query.kind?.rawValue, query.project, query.name,
                query.refused, query.before,
            ]
        ).map { row in
            let project: String = try row.decode("project")
            return AuditRecord(
                id: try row.decode("id"), at: try row.timestamp("at"), actor: try row.decode("actor"),
                requestID: try row.decode("request_id"), verb: try row.decode("verb"),
                kind: try row.decode("kind", as: String?.self).flatMap(Kind.init(rawValue:)),
                project: project.isEmpty ? nil : project, name: try row.decode("name"),
                refused: try row.decode("refused"))
        }
    }

    public func keepHouse() async throws {
        _ = try await write(Self.keepHouseStatement)
        _ = try await write(
            Self.pruneHistoryStatement, [VMHistoryRecord.retention.interval, VMHistoryRecord.limit])
    }

    public func quotas() async throws -> [QuotaRecord] {
        try await read(Self.quotasStatement).map { row in
            let resource: String = try row.decode("resource")
            guard let resource = QuotaRecord.Resource(rawValue: resource) else {
                throw StoreError.corrupt("a quota has an unknown resource")
            }
            return QuotaRecord(
                project: try row.decode("project"), resource: resource, used: try row.decode("used"),
                limit: try row.decode("bound"))
        }
    }

    private static let appendStatement = Statement(
        name: "event_append",
        sql: """
            INSERT INTO event (at, kind, project, name, uid, reason, message, source)
            SELECT basalt_now(), v ->> 'kind', v ->> 'project', v ->> 'name', (v ->> 'uid')::uuid, v ->> 'reason',
                v ->> 'message', v ->> 'source'
            FROM jsonb_array_elements($1::jsonb) v
            """)
    private static let eventFilter = """
        SELECT id, xid, at, kind, project, name, uid, reason, message, source FROM event
        WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR project = $2)
            AND ($3::text IS NULL OR name = $3) AND ($4::text IS NULL OR reason = $4)
            AND ($6::text[] IS NULL OR project = ANY ($6))
        """
    private static let eventsAfterStatement = Statement(
        name: "events_after", sql: "\(eventFilter) AND id > $7 ORDER BY id LIMIT $5")
    private static let eventsNewestStatement = Statement(
        name: "events_newest", sql: "\(eventFilter) ORDER BY id DESC LIMIT $5")
    private static let eventsFollowStatement = Statement(
        name: "events_follow",
        sql: """
            SELECT k.epoch, e.* FROM cluster k LEFT JOIN LATERAL (
                \(eventFilter) AND xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, id) > ($7, $8)
                ORDER BY xid, id LIMIT $5
            ) e ON true
            ORDER BY e.xid, e.id
            """)
    private static let livesStatement = Statement(
        name: "vm_lives",
        sql: """
            SELECT min(at) FILTER (WHERE reason = 'Created') AS created,
                min(at) FILTER (WHERE reason = 'Scheduled') AS placed,
                min(at) FILTER (WHERE reason = 'Running') AS running
            FROM event
            WHERE kind = 'VM' AND at >= $1::text::timestamptz AND reason IN ('Created', 'Scheduled', 'Running')
            GROUP BY uid HAVING bool_or(reason = 'Created')
            ORDER BY 1 DESC LIMIT $2
            """)
    private static let putOperationStatement = Statement(
        name: "operation_put",
        sql: """
            WITH before AS (SELECT content::jsonb ->> 'state' AS state FROM operation WHERE id = $1 FOR UPDATE),
            put AS (
                INSERT INTO operation (id, content, created_at) VALUES ($1, $2, $4::text::timestamptz)
                ON CONFLICT (id) DO UPDATE SET content = excluded.content, created_at = excluded.created_at
            )
            INSERT INTO audit (at, actor, request_id, verb, kind, name)
            SELECT basalt_now(), $5, $6, $7, 'Operation', $1::uuid::text
            WHERE NOT EXISTS (SELECT 1 FROM before WHERE state = $3)
            """)
    private static let operationStatement = Statement(
        name: "operation_get", sql: "SELECT content FROM operation WHERE id = $1")
    private static let operationsStatement = Statement(
        name: "operations", sql: "SELECT content FROM operation ORDER BY created_at DESC, id DESC LIMIT $1")
    private static let createTokenStatement = Statement(
        name: "token_create",
        sql: """
            WITH made AS (
                INSERT INTO access_token (secret_hash, name, role, created_at, expires_at, projects)
                VALUES ($1, $2, $3, basalt_now(), $4::text::timestamptz, $8)
                ON CONFLICT DO NOTHING RETURNING name
            )
            INSERT INTO audit (at, actor, request_id, verb, kind, name)
            SELECT basalt_now(), $5, $6, $7, 'Token', name FROM made RETURNING name
            """)
    private static let tokenStatement = Statement(
        name: "token_get",
        sql: """
            SELECT secret_hash, name, role, expires_at, projects FROM access_token
            WHERE secret_hash = $1 AND (expires_at IS NULL OR expires_at > basalt_now())
            """)
    private static let tokensStatement = Statement(
        name: "tokens",
        sql: """
            SELECT secret_hash, name, role, expires_at, projects FROM access_token
            WHERE $1::text IS NULL OR name COLLATE "C" > $1 ORDER BY name COLLATE "C" LIMIT $2
            """)
    private static let deleteTokenStatement = Statement(
        name: "token_delete",
        sql: """
            WITH gone AS (DELETE FROM access_token WHERE name = $1 RETURNING name)
            INSERT INTO audit (at, actor, request_id, verb, kind, name)
            SELECT basalt_now(), $2, $3, $4, 'Token', name FROM gone RETURNING name
            """)
    private static let auditStatement = Statement(
        name: "audit",
        sql: """
            SELECT id, at, actor, request_id, verb, kind, project, name, refused FROM audit
            WHERE ($2::text IS NULL OR actor = $2) AND ($3::text IS NULL OR verb = $3)
                AND ($4::text IS NULL OR kind = $4) AND ($5::text IS NULL OR project = $5)
                AND ($6::text IS NULL OR name = $6) AND ($7::boolean IS NULL OR refused = $7)
                AND ($8::bigint IS NULL OR id < $8)
            ORDER BY id DESC LIMIT $1
            """)
    private static let refusalStatement = Statement(
        name: "audit_refusal",
        sql: """
            INSERT INTO audit (at, actor, request_id, verb, project, name, refused)
            VALUES (basalt_now(), $1, $2, $3, $4, $5, true)
            """)
    private static let keepHouseStatement = Statement(
        name: "keep_house",
        sql: """
            WITH gone AS (DELETE FROM idempotency WHERE created_at < basalt_now() - interval '1 day')
            SELECT event_partitions(7)
            """)
    private static let pruneHistoryStatement = Statement(
        name: "vm_history_prune", sql: "SELECT vm_history_prune_1($1::text::interval, $2)")
    private static let quotasStatement = Statement(
        name: "quotas",
        sql: """
            SELECT q.project, q.resource, q.used, q.bound FROM quota_usage q
            JOIN document d ON d.kind = 'Project' AND d.project = '' AND d.name = q.project
            ORDER BY q.project, q.resource
            """)
}
