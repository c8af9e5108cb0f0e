public import APITypes

extension RESTClient {
    /// Specs that a document had, newest first; of the kinds that keep their history.
    ///
    /// - Parameter limit: nil reads every version.
    public func history(
        of name: String, in collection: Collection, limit: Int? = nil
    ) async throws -> [WireVersion] {
        let path = collection.path.appending(name).appending("history")
        guard let limit else { return try await everyPage(of: path, ListOptions()).items }
        let page = try await send(
            .get(path, query: ListOptions(limit: limit).query), as: WireList<WireVersion>.self)
        return page.items
    }

    /// One of them.
    public func version(
        _ number: Int, of name: String, in collection: Collection
    ) async throws -> WireVersion {
        let path = collection.path.appending(name).appending("history").appending(String(number))
        return try await send(.get(path), as: WireVersion.self)
    }

    /// Gives a document the spec of an earlier version again, as a new version.
    public func rollback(
        _ name: String, in collection: Collection, to version: Int, match: EntityMatch
    ) async throws -> WireDocument {
        try await send(try rollbackCall(name, collection, version, match), as: WireDocument.self)
    }

    /// What ``rollback(_:in:to:match:)`` would answer; nothing is stored.
    public func dryRunRollback(
        _ name: String, in collection: Collection, to version: Int, match: EntityMatch
    ) async throws -> DryRun {
        var call = try rollbackCall(name, collection, version, match)
        call.query = [("dryRun", "true")]
        return try Self.dryRun(try await send(call))
    }

    private func rollbackCall(
        _ name: String, _ collection: Collection, _ version: Int, _ match: EntityMatch
    ) throws -> Call {
        var call = Call.guarded(
            .post, collection.path.appending(name).appending("rollback"),
            body: try WireJSON.encode(RollbackRequest(version: version)), match: match)
        // A repeat is answered, where the entity tag alone would call it stale.
        call.headers.append(("idempotency-key", newIdempotencyKey()))
        return call
    }
}
