import CLibPQ

extension PostgresConnection {
    /// Sends the statements of a pipeline in one go and returns what each answered.
    ///
    /// Outside an open transaction the pipeline is a transaction of its own: either all of it takes effect
    /// or nothing. Throws only where there is no outcome: `connection.lost` and the like.
    /// Named statements that are new to the session are prepared before, in one more round trip; so they
    /// cannot use a table that the same pipeline makes.
    public nonisolated func run(_ pipeline: PostgresPipeline) async throws -> PipelineOutcome {
        guard let outcome = try await run([pipeline]).first else {
            throw PostgresError(.protocolViolation, "a pipeline without an outcome")
        }
        return outcome
    }

    /// Sends several pipelines in one go. Each is a transaction of its own: an error in one does not touch
    /// the others.
    public func run(_ pipelines: [PostgresPipeline]) async throws -> [PipelineOutcome] {
        try await operation {
            for pipeline in pipelines { try await prepare(pipeline.queries) }
            return try await exchange(pipelines)
        }
    }

    /// Builds a pipeline and runs it; returns the results or throws the first error.
    public nonisolated func pipeline(
        _ build: (inout PostgresPipeline) throws -> Void
    ) async throws -> [PostgresResult] {
        var pipeline = PostgresPipeline()
        try build(&pipeline)
        return try await run(pipeline).get()
    }

    /// Sends prepared pipelines and reads their answers.
    func exchange(_ pipelines: [PostgresPipeline]) async throws -> [PipelineOutcome] {
        let pointer = try openHandle()
        guard PQenterPipelineMode(pointer) == 1 else { throw sendFailure(nil) }
        do {
            for pipeline in pipelines {
                for query in pipeline.queries { try send(query) }
                guard PQpipelineSync(pointer) == 1 else { throw sendFailure(nil) }
            }
            var outcomes: [PipelineOutcome] = []
            outcomes.reserveCapacity(pipelines.count)
            for pipeline in pipelines { outcomes.append(try await collectOutcome(of: pipeline)) }
            guard PQexitPipelineMode(pointer) == 1 else { throw sendFailure(nil) }
            try throwIfCancelled(outcomes)
            return outcomes
        } catch let error as PostgresError where error.isQueryCanceled {
            throw error
        } catch {
            // Half a pipeline was sent: its answers can no longer be told apart.
            connectionBroke((error as? PostgresError)?.asConnectionLoss)
            throw error
        }
    }

    /// A statement that this side stopped is not an outcome but a cancellation.
    private func throwIfCancelled(_ outcomes: [PipelineOutcome]) throws {
        guard isCancelRequested else { return }
        for case let error? in outcomes.map(\.firstError) where error.isQueryCanceled { throw error }
    }

    private func collectOutcome(of pipeline: PostgresPipeline) async throws -> PipelineOutcome {
        var results: [PipelineOutcome.Entry] = []
        results.reserveCapacity(pipeline.queries.count)
        for query in pipeline.queries {
            results.append(try await collectEntry(statement: query.statement.name))
        }
        return PipelineOutcome(entries: results, commitError: try await collectSync())
    }

    /// Reads the answer of a Sync, and the error of the commit in front of it if there is one.
    private func collectSync() async throws -> PostgresError? {
        var failure: PostgresError?
        // An error is followed by libpq's NULL, then by the Sync's own result.
        for _ in 0..<3 {
            guard let result = try await nextResult() else { continue }
            if result.status == PGRES_PIPELINE_SYNC { return failure }
            let error = error(of: result, statement: nil)
            if error.code == .connectionLost { throw error }
            failure = error
        }
        throw missingResult("a pipeline ended without its sync", statement: nil)
    }

    /// libpq answers NULL for what a lost connection never sent.
    private func missingResult(_ message: String, statement: String?) -> PostgresError {
        if PQstatus(handle?.pointer) == CONNECTION_BAD { connectionBroke(nil) }
        return breakReason ?? PostgresError(.protocolViolation, message, statement: statement)
    }

    private func collectEntry(statement: String?) async throws -> PipelineOutcome.Entry {
        var entry: PipelineOutcome.Entry?
        while let result = try await nextResult() {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_TUPLES_OK:
                var builder = RowTableBuilder(head: result.pointer)
                builder.append(result.pointer)
                entry = .success(
                    PostgresResult(
                        rows: builder.build().rows, affectedRows: result.affectedRows,
                        commandTag: result.commandTag))
            case PGRES_PIPELINE_ABORTED:
                entry = .aborted
            default:
                let error = error(of: result, statement: statement)
                if error.code == .connectionLost { throw error }
                entry = .failure(error)
            }
        }
        guard let entry else {
            throw missingResult("a statement of a pipeline has no result", statement: statement)
        }
        return entry
    }
}

extension PostgresError {
    /// The same error as one that ended the session.
    fileprivate var asConnectionLoss: PostgresError {
        var error = self
        error.code = .connectionLost
        return error
    }
}
