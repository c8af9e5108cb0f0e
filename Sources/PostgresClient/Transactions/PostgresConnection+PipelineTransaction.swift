import Synchronization

extension PostgresConnection {
    /// Runs a pipeline as a whole transaction in one trip. Throws the first error, after a rollback;
    /// `transaction.outcomeUnknown` when the connection broke after it was sent.
    public nonisolated func runTransaction(
        _ options: TransactionOptions = TransactionOptions(),
        _ pipeline: PostgresPipeline
    ) async throws -> [PostgresResult] {
        condition.withLock { $0.lastSQLState = nil }
        // The Sync of a pipeline commits by itself; BEGIN is only needed for another isolation level.
        let isPlain = options == TransactionOptions()
        var whole = pipeline
        if !isPlain { whole = try pipeline.enclosed(in: options) }
        let outcome: PipelineOutcome
        do {
            outcome = try await runCommitting(whole)
        } catch {
            await rollBackIfOpen()
            throw error
        }
        await rollBackIfOpen()
        let results = try outcome.get()
        return isPlain ? results : Array(results.dropFirst().dropLast())
    }

    private nonisolated func rollBackIfOpen() async {
        if condition.withLock({ $0.isOpen && $0.transaction != .idle }) { await rollBack() }
    }

    /// Any loss of the connection after the pipeline was handed over leaves the outcome unknown: the answer
    /// of the commit may have been on its way.
    private func runCommitting(_ pipeline: PostgresPipeline) async throws -> PipelineOutcome {
        let outcomes = try await operation {
            try await prepare(pipeline.queries)
            _ = try openHandle()
            do {
                return try await exchange([pipeline])
            } catch let error as PostgresError where error.isConnectionLost {
                throw PostgresError(
                    .commitOutcomeUnknown, "the connection broke while a transaction ran",
                    sqlState: error.sqlState, cause: error)
            }
        }
        guard let outcome = outcomes.first else {
            throw PostgresError(.protocolViolation, "a pipeline without an outcome")
        }
        return outcome
    }
}

extension PostgresPipeline {
    fileprivate func enclosed(in options: TransactionOptions) throws -> PostgresPipeline {
        var whole = PostgresPipeline()
        try whole.append(Statement(options.beginStatement))
        whole.append(contentsOf: self)
        try whole.append("COMMIT")
        return whole
    }
}
