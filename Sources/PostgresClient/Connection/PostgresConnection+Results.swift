import CLibPQ
import Synchronization

extension PostgresConnection {
    /// libpq's next result, nil where it answers NULL. Sends what is waiting and reads until there is one.
    func nextResult() async throws -> LibPQResult? {
        while true {
            guard let pointer = handle?.pointer else { return nil }
            let isSent = flushOutput(pointer)
            if PQisBusy(pointer) == 0 {
                guard let result = PQgetResult(pointer) else { return nil }
                return LibPQResult(result)
            }
            // Broken by a deadline: libpq does not know it and would wait forever.
            if isBroken { _ = try openHandle() }
            if isSent, awaitInputBriefly() { continue }
            await waitForEvent()
        }
    }

    /// Sends as much as the socket takes; the rest goes when it is writable again. True when all is sent.
    @discardableResult
    func flushOutput(_ pointer: OpaquePointer) -> Bool {
        // -1 is a broken connection, which reading reports together with the server's last words.
        guard PQflush(pointer) == 1 else { return true }
        watch?.resumeWriting()
        return false
    }

    /// The error of a result. A FATAL one ends the session.
    func error(of result: borrowing LibPQResult, statement: String?) -> PostgresError {
        let isLost = LibPQResult.isFatal(result.pointer) || PQstatus(handle?.pointer) == CONNECTION_BAD
        let error = PostgresError(
            result: result.pointer, code: isLost ? .connectionLost : .server, statement: statement)
        condition.withLock { $0.lastSQLState = error.sqlState }
        if isLost { connectionBroke(error) }
        if error.isStalePlan, let statement { prepared.forget(statement) }
        return error
    }

    /// Reads the answer of one statement, up to and including libpq's NULL. Of several results, as a script
    /// has them, the last one counts; the first error is thrown after all were read.
    func collectResult(statement: String?) async throws -> PostgresResult {
        var table: RowTable?
        var tag = ""
        var affected = 0
        var failure: PostgresError?
        while let result = try await nextResult() {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_TUPLES_OK:
                var builder = RowTableBuilder(head: result.pointer)
                builder.append(result.pointer)
                table = builder.build()
                tag = result.commandTag
                affected = result.affectedRows
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw refuseCopy(statement)
            default:
                let new = error(of: result, statement: statement)
                failure = failure ?? new
            }
        }
        if let failure { throw failure }
        return PostgresResult(rows: table?.rows ?? [], affectedRows: affected, commandTag: tag)
    }

    /// A COPY started by `query` has no one to feed it, and libpq offers no way back but ending the session.
    private func refuseCopy(_ statement: String?) -> PostgresError {
        let error = PostgresError(
            .protocolViolation, "COPY was started by a plain statement; use copyIn", statement: statement)
        connectionBroke(error)
        return error
    }

    /// What libpq says when it refuses to send.
    func sendFailure(_ statement: String?) -> PostgresError {
        let message = PostgresError.connectionMessage(handle?.pointer)
        guard PQstatus(handle?.pointer) == CONNECTION_BAD else {
            return PostgresError(.protocolViolation, message, statement: statement)
        }
        let error = PostgresError(.connectionLost, message, statement: statement)
        connectionBroke(error)
        return error
    }
}
