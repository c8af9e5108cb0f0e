public import APITypes
public import Fleet

extension RESTClient {
    /// Failure domains whose lost hosts are not fenced until a person says so.
    public func breakers() async throws -> [BreakerSummary] {
        try await send(.get(APIPath("breakers")), as: WireList<BreakerSummary>.self).items
    }

    /// Confirms that the silent hosts of a zone are lost. The caller vouches for it.
    public func resetBreaker(
        cell: String, zone: String, reason: String, dryRun: Bool = false
    ) async throws -> BreakerResetResponse {
        try await verb(
            APIPath("cells", cell, "breaker", "reset"), BreakerResetRequest(zone: zone, reason: reason),
            dryRun: dryRun, as: BreakerResetResponse.self)
    }

    /// Takes what runs under a quarantined allocation over as the writer of its workload.
    public func adopt(allocation: ID<Allocation>, dryRun: Bool = false) async throws -> Allocation {
        try await verb(
            APIPath("allocations", allocation.description, "adopt"), HostVerbRequest(reason: ""),
            dryRun: dryRun, as: Allocation.self)
    }

    /// Stops what runs under a quarantined allocation, or under one that such a copy stands against.
    public func release(
        allocation: ID<Allocation>, reason: String, dryRun: Bool = false
    ) async throws -> Allocation {
        try await verb(
            APIPath("allocations", allocation.description, "release"),
            HostVerbRequest(reason: reason, confirm: true), dryRun: dryRun, as: Allocation.self)
    }

    private func verb<Value: Decodable>(
        _ path: APIPath, _ request: some Encodable, dryRun: Bool, as type: Value.Type
    ) async throws -> Value {
        try await send(try .post(path, body: request, key: newIdempotencyKey(), dryRun: dryRun), as: type)
    }
}
