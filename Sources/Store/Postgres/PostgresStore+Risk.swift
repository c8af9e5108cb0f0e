internal import AgentProtocol
public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func usageRolledTo() async throws -> Timestamp? {
        let seconds: Int = try await read(Self.rolledStatement).first?.decode("rolled_to") ?? 0
        return seconds > 0 ? Timestamp(seconds: Double(seconds)) : nil
    }

    public func scopeHours(
        of scopes: [RateScope], since: Timestamp
    ) async throws -> [RateScope: [ScopeHour]] {
        let rows = try await read(Self.scopeHoursStatement, Self.named(scopes) + [since.wholeSeconds])
        return try Self.grouped(rows, scopes) { row in
            ScopeHour(
                start: try row.decode("start"), usedMilliCPU: try row.decode("used"),
                soldMilliCPU: try row.decode("sold"), largestMilliCPU: try row.decode("largest"),
                bins: try row.decode("bins"), hotBins: try row.decode("hot"),
                savedMilliCPU: try row.decode("saved"))
        }
    }

    /// Days of a scope as they are written.
    private struct ScopeDays: Encodable {
        var scope: RateScope
        var days: [RiskDay]
    }

    public func recordDays(_ days: [RateScope: [RiskDay]], lease: CellLease) async throws {
        let told = days.sorted { $0.key < $1.key }.map { ScopeDays(scope: $0.key, days: $0.value) }
        _ = try await write(
            Self.recordDaysStatement, [lease.cell, lease.token, JSONText(try DocumentJSON.encode(told))])
    }

    public func riskDays(
        of scopes: [RateScope], since day: Int
    ) async throws -> [RateScope: [RiskDay]] {
        let rows = try await read(Self.riskDaysStatement, Self.named(scopes) + [day])
        return try Self.grouped(rows, scopes) { row in
            RiskDay(
                day: try row.decode("day"), bins: try row.decode("bins"), hotBins: try row.decode("hot"),
                predictedRisk: try row.decode("predicted"), nominalMilliCPU: try row.decode("nominal"),
                realizedMilliCPU: try row.decode("realized"))
        }
    }

    /// Levels and names, as two columns.
    private static func named(_ scopes: [RateScope]) -> [any PostgresEncodable] {
        [scopes.map(\.level.rawValue), scopes.map(\.name)]
    }

    /// Rows by the scope whose place among those asked for they tell, from 1.
    private static func grouped<Value>(
        _ rows: [PostgresRow], _ scopes: [RateScope], _ value: (PostgresRow) throws -> Value
    ) throws -> [RateScope: [Value]] {
        var found: [RateScope: [Value]] = [:]
        for row in rows {
            let place: Int = try row.decode("place")
            found[scopes[place - 1], default: []].append(try value(row))
        }
        return found
    }

    public func beginTrial(
        of decision: ID<ScopeDecision>, on hosts: [ID<Document>], startedAt: Timestamp,
        event: EventWords, lease: CellLease
    ) async throws -> Bool {
        let row = try await write(
            Self.trialStatement,
            [
                lease.cell, lease.token, decision.uuid, hosts.map(\.uuid), startedAt.wholeSeconds,
                event.reason.rawValue, event.message,
            ]
        ).first
        return try row?.decode("begun") ?? false
    }

    public func withdraw(
        _ decision: ID<ScopeDecision>, event: EventWords, lease: CellLease
    ) async throws -> Bool {
        let row = try await write(
            Self.withdrawStatement,
            [lease.cell, lease.token, decision.uuid, event.reason.rawValue, event.message]
        ).first
        return try row?.decode("withdrawn") ?? false
    }

    public func trials() async throws -> [RateTrial] {
        try await read(Self.trialsStatement).map { row in
            let decision: ScopeDecision = try row.json("content")
            return RateTrial(
                decision: decision.id, scope: decision.scope, ratioPerMille: decision.ratioPerMille,
                hosts: (try row.decode("hosts", as: [String]?.self) ?? []).sorted(),
                startedAt: Timestamp(seconds: Double(try row.decode("started_at", as: Int.self))))
        }.sorted { ($0.scope, $0.decision) < ($1.scope, $1.decision) }
    }

    public func guardAsks(cell: String) async throws -> [GuardAskRecord] {
        try await read(Self.guardAsksStatement, [cell]).map { row in
            let word: String = try row.decode("verb")
            guard let verb = GuardAsk.Verb(rawValue: word) else {
                throw StoreError.corrupt("unknown ask \(word)")
            }
            return GuardAskRecord(
                ask: GuardAsk(verb, try row.id("allocation")), host: try row.id("host"),
                message: try row.decode("message"), at: try row.timestamp("at"))
        }
    }

    public func closeGuardAsks(_ allocations: [ID<Allocation>], lease: CellLease) async throws {
        _ = try await write(
            Self.closeAsksStatement, [lease.cell, lease.token, allocations.map(\.uuid)])
    }
}

extension PostgresStore {
    private static let rolledStatement = Statement(
        name: "usage_rolled", sql: "SELECT rolled_to FROM usage_roll")
    private static let scopeHoursStatement = Statement(
        name: "scope_hours",
        sql: """
            SELECT n.place, u.start, u.used, u.sold, u.largest, u.bins, u.hot, u.saved
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY n (level, name, place)
            JOIN usage_scope u ON u.scope = scope_uid(n.level, n.name) AND u.start >= $3
            ORDER BY n.place, u.start
            """)
    private static let recordDaysStatement = Statement(
        name: "rate_days", sql: "SELECT rate_days_1($1, $2, $3::jsonb)")
    private static let riskDaysStatement = Statement(
        name: "risk_days",
        sql: """
            SELECT n.place, r.day, r.bins, r.hot, r.predicted, r.nominal, r.realized
            FROM unnest($1::text[], $2::text[]) WITH ORDINALITY n (level, name, place)
            JOIN rate_day r ON r.scope = scope_uid(n.level, n.name) AND r.day >= $3
            ORDER BY n.place, r.day
            """)
    private static let trialStatement = Statement(
        name: "rate_trial", sql: "SELECT rate_trial_1($1, $2, $3, $4, $5, $6, $7) AS begun")
    private static let withdrawStatement = Statement(
        name: "rate_withdraw", sql: "SELECT rate_withdraw_1($1, $2, $3, $4, $5) AS withdrawn")
    private static let trialsStatement = Statement(
        name: "rate_trials",
        sql: """
            SELECT d.content || jsonb_build_object('state', d.state, 'createdAt', rfc3339(d.created_at)) AS content,
                t.started_at,
                ARRAY(SELECT h.name FROM host_ledger h WHERE h.host = ANY (t.hosts)) AS hosts
            FROM rate_trial t JOIN rate_decision d ON d.id = t.decision WHERE d.state = 'approved'
            """)
    private static let guardAsksStatement = Statement(
        name: "guard_asks",
        sql: """
            SELECT allocation, host, verb, message, at FROM guard_ask
            WHERE cell = $1 AND closed_at IS NULL ORDER BY allocation
            """)
    private static let closeAsksStatement = Statement(
        name: "guard_close", sql: "SELECT guard_close_1($1, $2, $3)")
}
