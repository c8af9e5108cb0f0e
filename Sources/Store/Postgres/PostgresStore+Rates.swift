public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func recordPeaks(_ peaks: [ID<Allocation>: Int?], lease: CellLease) async throws -> Int {
        guard !peaks.isEmpty else { return 0 }
        var object = JSONWriter.object()
        for (id, peak) in peaks.sorted(by: { $0.key < $1.key }) {
            object.member(id.description, raw: peak.map { String($0) } ?? "null")
        }
        let row = try await write(Self.peakStatement, [lease.cell, lease.token, JSONText(object.closed)])
            .first
        return try row?.decode("moved") ?? 0
    }

    public func decide(_ change: RateChange, lease: CellLease) async throws -> Bool {
        let row = try await write(
            Self.decideStatement,
            [
                lease.cell, lease.token, JSONText(try DocumentJSON.encode(change.decision)),
                change.before.rawValue, change.reason?.rawValue, change.message,
            ]
        ).first
        return try row?.decode("decided") ?? false
    }

    public func approve(
        _ id: ID<ScopeDecision>, reason: String, context: WriteContext, isTrial: Bool
    ) async throws -> ScopeDecision {
        let row = try await write(
            isTrial: isTrial, Self.approveStatement,
            [
                id.uuid, Reason.ratioApproved.rawValue, reason, context.actor, context.requestID,
                context.verb,
            ]
        ).first
        let state = try row?.decode("state", as: String?.self).flatMap { ScopeDecision.State(rawValue: $0) }
        guard let state, var decision = try await decisions(DecisionQuery(id: id)).first else {
            throw StoreError.notFound(kind: .plan, name: id.description)
        }
        decision.state = state
        return decision
    }

    public func recordOutcomes(
        _ outcomes: [ID<ScopeDecision>: ScopeDecision.Realized], lease: CellLease
    ) async throws {
        var object = JSONWriter.object()
        for (id, outcome) in outcomes.sorted(by: { $0.key < $1.key }) {
            object.member(id.description, raw: try DocumentJSON.encode(outcome))
        }
        _ = try await write(Self.outcomeStatement, [lease.cell, lease.token, JSONText(object.closed)])
    }

    public func constrain(
        _ constraint: ScopeConstraint, context: WriteContext, isTrial: Bool
    ) async throws -> ScopeConstraint {
        let row = try await write(
            isTrial: isTrial, Self.constrainStatement,
            [
                JSONText(try DocumentJSON.encode(constraint)), constraint.eventReason.rawValue,
                constraint.eventMessage, context.actor, context.requestID, context.verb,
            ]
        ).first
        guard let row, try row.decode("found") else {
            throw StoreError.notFound(kind: constraint.scope.level.kind, name: constraint.scope.name)
        }
        var written = constraint
        (written.author, written.endedAt) = (context.actor, nil)
        written.createdAt = try row.timestamp("at")
        return written
    }

    public func unconstrain(
        _ id: ID<ScopeConstraint>, reason: String, context: WriteContext, isTrial: Bool
    ) async throws {
        let row = try await write(
            isTrial: isTrial, Self.unconstrainStatement,
            [
                id.uuid, Reason.constraintEnded.rawValue, reason, context.actor, context.requestID,
                context.verb,
            ]
        ).first
        guard try row?.decode("found") == true else {
            throw StoreError.notFound(kind: .policy, name: id.description)
        }
    }

    public func keepDecisions(for age: Duration) async throws -> Int {
        try await write(Self.keepDecisionsStatement, [age.interval]).first?.decode("dropped") ?? 0
    }

    public func followRates(lease: CellLease) async throws {
        _ = try await write(Self.followStatement, [lease.cell, lease.token])
    }

    public func policyHolders(cell: String) async throws -> [PolicyHolder] {
        try await read(Self.holdersStatement, [cell]).map { row in
            PolicyHolder(scope: try Self.scope(row), policy: try row.decode("policy"))
        }.sorted { $0.scope < $1.scope }
    }

    public func scopeRates() async throws -> [ScopeRate] {
        try await read(Self.ratesStatement).map { row in
            ScopeRate(
                scope: try Self.scope(row), ratioPerMille: try row.decode("ratio", as: Int?.self),
                generation: try row.decode("generation"),
                decision: try row.decode("decision", as: UUID?.self).map { ID($0) },
                decidedAt: try row.optionalTimestamp("decided_at"))
        }.sorted { $0.scope < $1.scope }
    }

    public func constraints(ended: Bool) async throws -> [ScopeConstraint] {
        try await read(Self.constraintsStatement, [ended]).map { row in
            let text: String = try row.decode("verb")
            guard let verb = ScopeConstraint.Verb(rawValue: text) else {
                throw StoreError.corrupt("unknown verb \(text)")
            }
            return ScopeConstraint(
                id: try row.id("id"), scope: try Self.scope(row), verb: verb,
                ratioPerMille: try row.decode("ratio", as: Int?.self),
                prototypes: try row.decode("prototypes", as: [Int]?.self),
                author: try row.decode("author"), reason: try row.decode("reason"),
                createdAt: try row.timestamp("created_at"),
                expiresAt: try row.optionalTimestamp("expires_at"),
                endedAt: try row.optionalTimestamp("ended_at"))
        }
    }

    public func decisions(_ query: DecisionQuery) async throws -> [ScopeDecision] {
        let rows = try await read(
            Self.decisionsStatement,
            [
                query.cell, query.scope?.level.rawValue, query.scope?.name, query.id?.uuid,
                query.states.isEmpty ? nil : query.states.map(\.rawValue), query.limit,
            ])
        return try rows.map { try $0.json("content") }
    }

    private static func scope(_ row: PostgresRow) throws -> RateScope {
        let kind: String = try row.decode("scope_kind")
        guard let level = RateScope.Level(rawValue: kind.lowercased()) else {
            throw StoreError.corrupt("a scope of kind \(kind)")
        }
        return RateScope(level, try row.decode("scope_name"))
    }
}

extension PostgresStore {
    private static let peakStatement = Statement(
        name: "peak_record", sql: "SELECT peak_record_1($1, $2, $3::jsonb) AS moved")
    private static let decideStatement = Statement(
        name: "rate_decide", sql: "SELECT rate_decide_1($1, $2, $3::jsonb, $4, $5, $6) AS decided")
    private static let approveStatement = Statement(
        name: "rate_approve", sql: "SELECT rate_approve_1($1, $2, $3, $4, $5, $6) AS state")
    private static let outcomeStatement = Statement(
        name: "rate_outcome", sql: "SELECT rate_outcome_1($1, $2, $3::jsonb)")
    private static let constrainStatement = Statement(
        name: "rate_constrain",
        sql: "SELECT rate_constrain_1($1::jsonb, $2, $3, $4, $5, $6) AS found, basalt_now() AS at")
    private static let unconstrainStatement = Statement(
        name: "rate_unconstrain", sql: "SELECT rate_unconstrain_1($1, $2, $3, $4, $5, $6) AS found")
    private static let keepDecisionsStatement = Statement(
        name: "rate_keep", sql: "SELECT rate_keep_1($1::interval) AS dropped")
    private static let followStatement = Statement(
        name: "rates_follow", sql: "SELECT rates_follow_1($1, $2)")
    private static let holdersStatement = Statement(
        name: "policy_holders",
        sql: """
            SELECT d.kind AS scope_kind, d.name AS scope_name,
                d.spec #>> '{policies,oversubscription}' AS policy
            FROM document d
            WHERE d.kind = ANY (ARRAY['Cell', 'Pool', 'Host']) AND d.cell = $1
              AND d.spec #>> '{policies,oversubscription}' IS NOT NULL
            """)
    private static let ratesStatement = Statement(
        name: "scope_rates",
        sql: """
            SELECT d.kind AS scope_kind, d.name AS scope_name, s.ratio, s.generation, s.decision, s.decided_at
            FROM rate_scope s JOIN document d ON d.uid = s.scope WHERE s.generation > 0
            """)
    private static let constraintsStatement = Statement(
        name: "scope_constraints",
        sql: """
            SELECT d.kind AS scope_kind, d.name AS scope_name, c.id, c.verb, c.ratio, c.prototypes, c.author,
                c.reason, c.created_at, c.expires_at, c.ended_at
            FROM rate_constraint c JOIN document d ON d.uid = c.scope
            WHERE $1 OR c.ended_at IS NULL AND coalesce(c.expires_at > basalt_now(), true)
            ORDER BY c.id
            """)
    private static let decisionsStatement = Statement(
        name: "scope_decisions",
        sql: """
            SELECT d.content || jsonb_build_object('state', d.state, 'createdAt', rfc3339(d.created_at))
                || CASE WHEN d.closed_at IS NULL THEN '{}'
                        ELSE jsonb_build_object('closedAt', rfc3339(d.closed_at)) END
                || CASE WHEN d.answered_by IS NULL THEN '{}'
                        ELSE jsonb_build_object('answeredBy', d.answered_by) END
                || CASE WHEN d.realized IS NULL THEN '{}'
                        ELSE jsonb_build_object('realized', d.realized) END AS content
            FROM rate_decision d
            WHERE ($1::text IS NULL OR d.cell = $1)
              AND ($2::text IS NULL OR d.scope = scope_uid($2, $3))
              AND ($4::uuid IS NULL OR d.id = $4) AND ($5::text[] IS NULL OR d.state = ANY ($5))
            ORDER BY d.created_at DESC, d.id DESC LIMIT $6
            """)
}
