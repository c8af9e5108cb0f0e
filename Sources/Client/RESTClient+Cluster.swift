public import APITypes
public import Fleet

extension RESTClient {
    /// The fleet in one screen, with the fleet clock.
    public func cluster() async throws -> ClusterSummary {
        try await send(.get(APIPath("cluster")), as: ClusterSummary.self)
    }

    /// How fast VMs created since a time were placed and started.
    public func starts(since: Timestamp) async throws -> StartStatistics {
        try await send(
            .get(APIPath("starts"), query: [("since", since.description)]), as: StartStatistics.self)
    }

    /// Checks the invariants now.
    public func check() async throws -> CheckResponse {
        try await send(.get(APIPath("check")), as: CheckResponse.self)
    }

    /// Checks the invariants now, together with what journals of agents say.
    public func check(_ request: CheckRequest) async throws -> CheckResponse {
        let call = try Call.post(APIPath("check"), body: request, key: newIdempotencyKey())
        return try await send(call, as: CheckResponse.self)
    }

    /// Version of the server that answered.
    public func version() async throws -> VersionResponse {
        try await send(.get(APIPath("version")), as: VersionResponse.self)
    }

    /// - Returns: the answer, whose secret is shown once and never again.
    public func createToken(_ request: TokenRequest) async throws -> TokenResponse {
        try await send(
            try .post(APIPath("tokens"), body: request, key: newIdempotencyKey()), as: TokenResponse.self)
    }

    /// The token that ``createToken(_:)`` would make; nothing is stored.
    public func dryRunCreateToken(_ request: TokenRequest) async throws -> TokenSummary {
        try await send(
            try .post(APIPath("tokens"), body: request, key: newIdempotencyKey(), dryRun: true),
            as: TokenSummary.self)
    }

    /// Bearer tokens without their secrets, by name.
    public func tokens() async throws -> Listing<TokenSummary> {
        try await everyPage(of: APIPath("tokens"), .init())
    }

    /// Takes a bearer token back. Servers believe it for five more seconds at most.
    public func revokeToken(_ name: String, dryRun: Bool = false) async throws {
        var call = Call(method: .delete, path: APIPath("tokens", name), repeatable: true)
        if dryRun { call.query = [("dryRun", "true")] }
        _ = try await send(call)
    }

    /// One page of the audit log, newest first; fields `actor`, `kind`, `name`, `project`, `refused`, `verb`.
    public func audit(_ options: ListOptions = .init()) async throws -> WireList<AuditRecord> {
        try await send(.get(APIPath("audit"), query: options.query), as: WireList<AuditRecord>.self)
    }

    /// - Returns: the answer, whose secret is shown once and never again.
    public func createJoinToken(_ request: JoinTokenRequest) async throws -> JoinTokenResponse {
        try await send(
            try .post(APIPath("jointokens"), body: request, key: newIdempotencyKey()),
            as: JoinTokenResponse.self)
    }

    /// The token that ``createJoinToken(_:)`` would make; nothing is stored.
    public func dryRunCreateJoinToken(_ request: JoinTokenRequest) async throws -> JoinTokenPreview {
        try await send(
            try .post(APIPath("jointokens"), body: request, key: newIdempotencyKey(), dryRun: true),
            as: JoinTokenPreview.self)
    }
}
