public import Fleet

/// The calls that can be tried, for real.
extension Store {
    public func adopt(_ id: ID<Allocation>, draft: DocumentDraft?, context: WriteContext) async throws
        -> Allocation
    {
        try await adopt(id, draft: draft, context: context, isTrial: false)
    }

    public func stop(_ id: ID<Allocation>, context: WriteContext) async throws -> Allocation {
        try await stop(id, context: context, isTrial: false)
    }

    public func createJoinToken(_ token: JoinToken, context: WriteContext) async throws {
        try await createJoinToken(token, context: context, isTrial: false)
    }

    public func resetBreaker(cell: String, zone: String, context: WriteContext) async throws -> Int {
        try await resetBreaker(cell: cell, zone: zone, context: context, isTrial: false)
    }

    public func createToken(_ token: AccessToken, context: WriteContext) async throws {
        try await createToken(token, context: context, isTrial: false)
    }
}
