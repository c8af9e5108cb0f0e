public import AgentProtocol
public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func createJoinToken(
        _ token: JoinToken, context: WriteContext, isTrial: Bool
    ) async throws {
        let rows = try await write(
            isTrial: isTrial, Self.joinTokenStatement,
            [
                token.secretHash, token.cell, token.pool, token.hostPattern, token.lifetime.interval,
                context.actor, context.requestID, context.verb,
            ])
        guard !rows.isEmpty else { throw StoreError.alreadyExists(kind: .token, name: token.hostPattern) }
    }

    public func join(_ request: JoinSpending) async throws -> ID<AgentSession> {
        _ = try await write(
            Self.joinStatement,
            [
                request.tokenHash, request.session.uuid, request.name, request.substrate, request.hosts,
                request.credentialHash,
            ])
        return request.session
    }

    public func session(credentialHash: String) async throws -> SessionRecord? {
        try await read(Self.sessionStatement, [credentialHash]).first.map(Self.session)
    }

    public func sessions() async throws -> [SessionRecord] {
        try await read(Self.sessionsStatement).map(Self.session)
    }

    private static func session(_ row: PostgresRow) throws -> SessionRecord {
        SessionRecord(
            id: try row.id("id"), name: try row.decode("name"), cell: try row.decode("cell"),
            pool: try row.decode("pool"), hostPattern: try row.decode("host_pattern"),
            incarnation: try row.decode("incarnation"), epoch: try row.decode("epoch"),
            renewedAt: try row.optionalTimestamp("renewed_at"))
    }

    public func hello(_ hello: SessionHello) async throws -> HelloOutcome {
        let encoder = JSONEncoder()
        var list = JSONWriter.array()
        for host in hello.hosts {
            var object = JSONWriter.object()
            object.member("uid", ID<Document>(hello.ids.next()).description)
            object.member("name", host.name)
            object.member(
                "inventory", raw: String(decoding: try encoder.encode(host.inventory), as: UTF8.self))
            object.member("parts", raw: String(decoding: try encoder.encode(host.parts), as: UTF8.self))
            list.element(raw: object.closed)
        }
        let rows = try await write(
            Self.helloStatement,
            [
                hello.session.uuid, JSONText(list.closed),
                Duration.seconds(hello.terms.leaseSeconds).interval,
                hello.absence.fraction, hello.absence.fewest,
            ])
        guard let row = rows.first else { throw StoreError.corrupt("a hello without an answer") }
        return HelloOutcome(
            incarnation: try row.decode("o_incarnation"), epoch: try row.decode("o_epoch"),
            refused: try row.json("o_refused"))
    }

    public func report(_ report: SessionReport) async throws -> [RefusedPart] {
        let parts = String(decoding: try JSONEncoder().encode(report.parts), as: UTF8.self)
        let parameters: [any PostgresEncodable] = [
            report.session.uuid, report.incarnation, report.sequence, JSONText(parts), report.unreachable,
        ]
        // A renewal alone changes nothing that a reader of the feed could see.
        let rows =
            report.parts.isEmpty
            ? try await read(Self.reportStatement, parameters)
            : try await write(Self.reportStatement, parameters)
        guard let row = rows.first else { throw StoreError.corrupt("a report without an answer") }
        return try row.json("refused")
    }

    public func judgeHosts(cell: CellLease, terms: LeaseTerms, breaker: Double) async throws -> HostJudgement
    {
        let rows = try await read(
            Self.judgeStatement,
            [
                cell.cell, cell.token, Duration.seconds(terms.leaseSeconds).interval,
                Duration.seconds(terms.fencedAfterSeconds).interval,
                Duration.seconds(terms.outageSeconds).interval, breaker,
                HostBreaker.window.interval, HostBreaker.fewest,
            ])
        guard let row = rows.first else { throw StoreError.corrupt("a judgement without an answer") }
        func ids(_ column: String) throws -> [ID<Document>] {
            try row.decode(column, as: [UUID].self).map { ID($0) }
        }
        let judgement = HostJudgement(
            suspected: try ids("o_suspected"), fenced: try ids("o_fenced"), returned: try ids("o_returned"),
            tripped: try row.decode("o_tripped"))
        if !(judgement.suspected + judgement.fenced + judgement.returned).isEmpty { committed() }
        return judgement
    }

    public func breakers() async throws -> [TrippedBreaker] {
        try await read(Self.breakersStatement).map { row in
            TrippedBreaker(
                cell: try row.decode("cell"), zone: try row.decode("zone"), since: try row.timestamp("since"),
                lost: try row.decode("lost"), hosts: try row.decode("hosts"))
        }
    }

    public func resetBreaker(
        cell: String, zone: String, context: WriteContext, isTrial: Bool
    ) async throws -> Int {
        let row = try await write(
            isTrial: isTrial, Self.resetBreakerStatement,
            [cell, zone, context.actor, context.requestID, context.verb]
        ).first
        return try row?.decode("hosts") ?? 0
    }

    public func releaseFenced(
        host: ID<Document>, everything: Bool, lease: CellLease, context: WriteContext
    ) async throws -> [ID<Allocation>] {
        let row = try await write(
            Self.releaseFencedStatement,
            [
                lease.cell, lease.token, host.uuid, everything, context.actor, context.requestID,
                context.verb,
            ]
        ).first
        return try row?.decode("ids", as: [UUID].self).map { ID($0) } ?? []
    }

    private static let joinTokenStatement = Statement(
        name: "join_token",
        sql: """
            WITH made AS (
                INSERT INTO join_token (secret_hash, cell, pool, host_pattern, expires_at)
                SELECT $1, $2, $3, $4, basalt_now() + $5::interval
                FROM (SELECT document_reference('Cell', $2, 'cell'), document_reference('Pool', $3, 'pool')) r
                ON CONFLICT DO NOTHING RETURNING 1
            )
            INSERT INTO audit (at, actor, request_id, verb, kind, name)
            SELECT basalt_now(), $6, $7, $8, 'Token', $4 FROM made RETURNING name
            """)
    private static let joinStatement = Statement(
        name: "session_join", sql: "SELECT session_join_1($1, $2, $3, $4, $5, $6)")
    private static let sessionStatement = Statement(
        name: "session_get",
        sql: """
            SELECT id, name, cell, pool, host_pattern, incarnation, epoch, renewed_at FROM agent_session
            WHERE credential_hash = $1
            """)
    private static let sessionsStatement = Statement(
        name: "sessions",
        sql: """
            SELECT id, name, cell, pool, host_pattern, incarnation, epoch, renewed_at FROM agent_session ORDER BY id
            """)
    private static let helloStatement = Statement(
        name: "session_hello",
        sql:
            "SELECT o_incarnation, o_epoch, o_refused FROM session_hello_2($1, $2::jsonb, $3::interval, $4, $5)"
    )
    private static let reportStatement = Statement(
        name: "session_report", sql: "SELECT session_report_1($1, $2, $3, $4::jsonb, $5) AS refused")
    private static let judgeStatement = Statement(
        name: "host_judge",
        sql: """
            SELECT o_suspected, o_fenced, o_returned, o_tripped
            FROM host_judge_2($1, $2, $3::interval, $4::interval, $5::interval, $6, $7::interval, $8)
            """)
    private static let breakersStatement = Statement(
        name: "breakers",
        sql: """
            SELECT cell, zone, coalesce(at, to_timestamp(0)) AS since, lost, hosts FROM tripped_domain
            ORDER BY cell COLLATE "C", zone COLLATE "C"
            """)
    private static let resetBreakerStatement = Statement(
        name: "breaker_reset", sql: "SELECT breaker_reset_1($1, $2, $3, $4, $5) AS hosts")
    private static let releaseFencedStatement = Statement(
        name: "host_release_fenced",
        sql: "SELECT host_release_fenced_2($1, $2, $3, $4, $5, $6, $7) AS ids")
}
