public import APITypes
public import Fleet

extension RESTClient {
    /// What is in force in cells and pools, and in the hosts that are spoken of.
    ///
    /// - Parameter cell: only of this one.
    public func rates(cell: String? = nil) async throws -> [RateExplanation] {
        try await send(
            .get(APIPath("oversubscription"), query: cell.map { [("cell", $0)] } ?? []),
            as: WireList<RateExplanation>.self
        ).items
    }

    public func rate(of scope: RateScope) async throws -> RateExplanation {
        try await send(
            .get(APIPath("oversubscription", "scopes", scope.level.rawValue, scope.name)),
            as: RateExplanation.self)
    }

    /// What the ratio of a scope risked and gained, day by day.
    public func risk(of scope: RateScope) async throws -> RiskStatement {
        try await send(
            .get(APIPath("oversubscription", "scopes", scope.level.rawValue, scope.name, "risk")),
            as: RiskStatement.self)
    }

    /// What a policy would have made of the last days of a scope; nothing is changed.
    public func whatIf(_ scope: RateScope, _ request: WhatIfRequest) async throws -> WhatIfStatement {
        let path = APIPath("oversubscription", "scopes", scope.level.rawValue, scope.name, "what-if")
        return try await send(
            try .post(path, body: request, key: newIdempotencyKey()), as: WhatIfStatement.self)
    }

    public func rate(ofVM name: String, project: String) async throws -> RateExplanation {
        try await send(
            .get(APIPath("projects", project, "vms", name, "oversubscription")), as: RateExplanation.self)
    }

    /// Newest first.
    public func rateDecisions(
        scope: RateScope? = nil, state: ScopeDecision.State? = nil, limit: Int
    ) async throws -> [ScopeDecision] {
        var query = [(name: "limit", value: String(limit))]
        if let scope { query.append(("scope", scope.description)) }
        if let state { query.append(("state", state.rawValue)) }
        return try await send(
            .get(APIPath("oversubscription", "decisions"), query: query), as: WireList<ScopeDecision>.self
        ).items
    }

    /// Those in force.
    public func rateConstraints() async throws -> [ScopeConstraint] {
        try await send(
            .get(APIPath("oversubscription", "constraints")), as: WireList<ScopeConstraint>.self
        ).items
    }

    public func constrain(_ request: ConstraintRequest, dryRun: Bool = false) async throws -> ScopeConstraint
    {
        try await send(
            .post(
                APIPath("oversubscription", "constraints"), body: request, key: newIdempotencyKey(),
                dryRun: dryRun), as: ScopeConstraint.self)
    }

    public func endConstraint(
        _ id: ID<ScopeConstraint>, reason: String, dryRun: Bool = false
    ) async throws -> ScopeConstraint {
        try await send(
            .post(
                APIPath("oversubscription", "constraints", id.description, "end"),
                body: ReasonRequest(reason: reason), key: newIdempotencyKey(), dryRun: dryRun),
            as: ScopeConstraint.self)
    }

    /// Proposals that wait for a person.
    public func rateReviews() async throws -> [ScopeDecision] {
        try await send(
            .get(APIPath("oversubscription", "reviews")), as: WireList<ScopeDecision>.self
        ).items
    }

    public func approveRate(
        _ id: ID<ScopeDecision>, reason: String, dryRun: Bool = false
    ) async throws -> ScopeDecision {
        try await send(
            .post(
                APIPath("oversubscription", "reviews", id.description, "approve"),
                body: ReasonRequest(reason: reason), key: newIdempotencyKey(), dryRun: dryRun),
            as: ScopeDecision.self)
    }
}
