import Synchronization

extension PostgresPool {
    /// Repetitions of a transaction; more than that is contention that waiting does not solve.
    public static let maximumTransactionRetries = 10

    /// Runs `body` in a transaction, and again from its beginning when the server reports a serialization
    /// failure or a deadlock. So `body` must have no effect outside the transaction.
    ///
    /// Counted in `statistics` under `name`. Throws like `withConnection` and
    /// `PostgresConnection.withTransaction`.
    public func withTransaction<Result>(
        name: String,
        options: TransactionOptions = TransactionOptions(),
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await withConnection { connection in
            try await retrying(name, on: connection) {
                try await connection.withTransaction(options, body)
            }
        }
    }

    /// Runs a pipeline as a whole transaction, in one trip to the server; repeated like `withTransaction`.
    public func run(
        name: String,
        options: TransactionOptions = TransactionOptions(),
        _ pipeline: PostgresPipeline
    ) async throws -> [PostgresResult] {
        try await withConnection { connection in
            try await retrying(name, on: connection) {
                try await connection.runTransaction(options, pipeline)
            }
        }
    }

    private func retrying<Result>(
        _ name: String,
        on connection: PostgresConnection,
        _ attempt: () async throws -> Result
    ) async throws -> Result {
        let start = ContinuousClock.now
        statistics.record(name) { $0.started += 1 }
        var retries = 0
        while true {
            do {
                let result = try await attempt()
                finish(name, since: start) { $0.committed += 1 }
                return result
            } catch {
                let sqlState = retryableState(of: error, connection)
                guard let sqlState, retries < Self.maximumTransactionRetries, connection.isOpen else {
                    finish(name, since: start) { counters in
                        counters.failed += 1
                        if sqlState != nil { counters.exhausted += 1 }
                        let code = (error as? PostgresError)?.code
                        if code == .commitOutcomeUnknown { counters.outcomeUnknown += 1 }
                    }
                    throw error
                }
                retries += 1
                statistics.record(name) { counters in
                    if sqlState == "40P01" {
                        counters.deadlockRetries += 1
                    } else {
                        counters.serializationRetries += 1
                    }
                }
            }
            let delay = poolConfiguration.retry.delay(attempt: retries, fraction: jitter.fraction())
            do {
                try await Task.sleep(for: delay)
            } catch {
                finish(name, since: start) { $0.failed += 1 }
                throw error
            }
        }
    }

    /// The SQLSTATE that makes a transaction worth repeating. `body` may have wrapped the server's error in
    /// one of its own; then the connection still knows why its transaction failed.
    private func retryableState(of error: any Error, _ connection: PostgresConnection) -> String? {
        if error is CancellationError { return nil }
        if let error = error as? PostgresError, error.isRetryableSerialization { return error.sqlState }
        let state = connection.condition.withLock { $0.lastSQLState }
        return state == "40001" || state == "40P01" ? state : nil
    }

    private func finish(
        _ name: String,
        since start: ContinuousClock.Instant,
        _ change: (inout TransactionStatistics.Counters) -> Void
    ) {
        let time = ContinuousClock.now - start
        statistics.record(name) { counters in
            change(&counters)
            counters.totalTime += time
            counters.longestTime = max(counters.longestTime, time)
            let bound = TransactionStatistics.timeBounds.firstIndex { time <= .seconds($0) }
            counters.runsByTime[bound ?? TransactionStatistics.timeBounds.count] += 1
        }
    }
}
