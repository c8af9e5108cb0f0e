import Synchronization

extension PostgresConnection {
    /// Runs `body` in one transaction: COMMIT when it returns, ROLLBACK when it throws. No retries.
    ///
    /// Throws what `body` throws; `transaction.outcomeUnknown` when the connection broke while COMMIT ran;
    /// `transaction.aborted` when `body` caught the error of a statement and went on as if nothing was.
    public nonisolated func withTransaction<Result>(
        _ options: TransactionOptions = TransactionOptions(),
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        condition.withLock { $0.lastSQLState = nil }
        try await runScript(options.beginStatement)
        let result: Result
        do {
            result = try await body(self)
            try Task.checkCancellation()
        } catch {
            await rollBack()
            throw error
        }
        try await commit()
        return result
    }

    /// Once sent, COMMIT is not cancelled: its outcome must be known.
    func commit() async throws {
        _ = try openHandle()
        let result: PostgresResult
        do {
            result = try await runControl("COMMIT", isCancellable: false)
        } catch let error as PostgresError where error.isConnectionLost {
            throw PostgresError(
                .commitOutcomeUnknown, "the connection broke while COMMIT ran",
                sqlState: error.sqlState, cause: error)
        }
        guard result.commandTag == "COMMIT" else {
            throw PostgresError(
                .transactionAborted, "an earlier statement had failed; nothing was committed",
                sqlState: condition.withLock { $0.lastSQLState })
        }
    }

    /// Ends an open transaction, whatever its state. A connection that cannot do it is broken.
    func rollBack() async {
        do {
            try await runControl("ROLLBACK", isCancellable: false)
        } catch let error as PostgresError {
            connectionBroke(error)
        } catch {
            connectionBroke(nil)
        }
    }
}

extension PostgresConnection {
    /// Whether a transaction is open and has not failed.
    public nonisolated var isInTransaction: Bool {
        condition.withLock { $0.transaction == .active }
    }
}
