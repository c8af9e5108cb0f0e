import Synchronization

extension PostgresPool {
    /// Lends a connection to `body`. An open transaction is rolled back afterwards; a broken connection is
    /// thrown away.
    ///
    /// Throws `pool.exhausted`, `pool.timeout`, `pool.closed`, `CancellationError`, or what `body` throws.
    public func withConnection<Result>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let lease = try await lease()
        let result: Result
        do {
            try await renewPlans(lease.connection)
            result = try await body(lease.connection)
        } catch {
            await giveBack(lease)
            throw error
        }
        await giveBack(lease)
        return result
    }

    /// Runs one statement on any connection. Throws like `withConnection` and `PostgresConnection.query`.
    @discardableResult
    public func query(
        _ statement: Statement, _ parameters: [any PostgresEncodable] = []
    ) async throws -> [PostgresRow] {
        let query = try EncodedQuery(statement, parameters)
        return try await withConnection { try await $0.run(query).rows }
    }

    /// Runs one statement on any connection and returns how many rows it affected.
    @discardableResult
    public func execute(
        _ statement: Statement, _ parameters: [any PostgresEncodable] = []
    ) async throws -> Int {
        let query = try EncodedQuery(statement, parameters)
        return try await withConnection { try await $0.run(query).affectedRows }
    }

    private func renewPlans(_ connection: PostgresConnection) async throws {
        let end = connection.condition.withLock { $0.plansEnd(.now, life: poolConfiguration.planLife) }
        if end { try await connection.runControl("DISCARD PLANS", isCancellable: false) }
    }

    private func giveBack(_ lease: Lease) async {
        let connection = lease.connection
        let condition = connection.condition.withLock { $0 }
        if condition.isOpen, !condition.isReusable { await connection.rollBack() }
        release(lease)
    }
}
