import CLibPQ

extension PostgresConnection {
    /// Runs a statement and returns its rows.
    ///
    /// Throws `server.error`, `connection.lost`, `value.encoding`, `statement.mismatch`, `connection.busy`
    /// or `CancellationError`.
    @discardableResult
    public nonisolated func query(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = []
    ) async throws -> [PostgresRow] {
        try await run(EncodedQuery(statement, parameters)).rows
    }

    /// Runs a statement and returns how many rows it affected. Throws like `query`.
    @discardableResult
    public nonisolated func execute(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = []
    ) async throws -> Int {
        try await run(EncodedQuery(statement, parameters)).affectedRows
    }

    /// Runs several statements separated by semicolons, without parameters, in the simple protocol: in one
    /// transaction unless they say otherwise. Throws the first error.
    public func runScript(_ sql: String) async throws {
        try await runControl(sql, isCancellable: true)
    }

    func run(_ query: EncodedQuery) async throws -> PostgresResult {
        try await operation {
            try await prepare([query])
            try send(query)
            return try await collectResult(statement: query.statement.name)
        }
    }

    /// Runs transaction control or a script.
    @discardableResult
    func runControl(_ sql: String, isCancellable: Bool) async throws -> PostgresResult {
        try await operation(isCancellable: isCancellable) {
            guard PQsendQuery(try openHandle(), sql) == 1 else { throw sendFailure(nil) }
            return try await collectResult(statement: nil)
        }
    }

    /// Hands a query to libpq. Named statements must be prepared.
    func send(_ query: EncodedQuery) throws {
        let pointer = try openHandle()
        let binary = PostgresFormat.binary.rawValue
        let parameters = query.parameters
        var sent: Int32
        if let name = query.statement.name {
            let serverName = try prepared.lookUp(query, name: name).serverName
            sent = parameters.withPointers { _, values, lengths, formats in
                PQsendQueryPrepared(
                    pointer, serverName, parameters.count, values, lengths, formats, binary)
            }
        } else {
            sent = parameters.withPointers { types, values, lengths, formats in
                PQsendQueryParams(
                    pointer, query.statement.sql, parameters.count, types, values, lengths, formats, binary)
            }
        }
        guard sent == 1 else { throw sendFailure(query.statement.name) }
    }

    /// Prepares those named statements that the session does not have yet.
    func prepare(_ queries: [EncodedQuery]) async throws {
        for query in queries {
            guard let name = query.statement.name else { continue }
            let (serverName, isPrepared) = try prepared.lookUp(query, name: name)
            guard !isPrepared else { continue }
            do {
                let pointer = try openHandle()
                let sent = query.parameters.withPointers { types, _, _, _ in
                    PQsendPrepare(
                        pointer, serverName, query.statement.sql, query.parameters.count, types)
                }
                guard sent == 1 else { throw sendFailure(name) }
                _ = try await collectResult(statement: name)
                prepared.markPrepared(name)
            } catch {
                prepared.forget(name)
                throw error
            }
        }
    }
}
