import CLibPQ

extension PostgresConnection {
    /// Bytes that are handed to libpq at once; the next ones wait until the server took these.
    private static let copyChunk = 64 * 1024

    /// Runs `COPY … FROM STDIN` in text format and feeds it with rows; returns how many the server took.
    ///
    /// When `rows` throws, the COPY is undone and that error is thrown.
    public nonisolated func copyIn<Rows: AsyncSequence>(
        _ sql: String, rows: Rows
    ) async throws -> Int where Rows.Element == CopyRow {
        try await copy(sql) { send in
            var chunk: [UInt8] = []
            for try await row in rows {
                row.write(to: &chunk)
                guard chunk.count >= Self.copyChunk else { continue }
                try await send(chunk)
                chunk.removeAll(keepingCapacity: true)
            }
            try await send(chunk)
        }
    }

    /// Like the other `copyIn`, with rows that are at hand.
    public nonisolated func copyIn(_ sql: String, rows: some Sequence<CopyRow>) async throws -> Int {
        try await copy(sql) { send in
            var chunk: [UInt8] = []
            for row in rows {
                row.write(to: &chunk)
                guard chunk.count >= Self.copyChunk else { continue }
                try await send(chunk)
                chunk.removeAll(keepingCapacity: true)
            }
            try await send(chunk)
        }
    }

    private nonisolated func copy(
        _ sql: String,
        _ feed: ((_ chunk: [UInt8]) async throws -> Void) async throws -> Void
    ) async throws -> Int {
        let number = try await startCopy(sql)
        do {
            try await feed { try await self.sendCopy($0, of: number) }
        } catch {
            await abandonCopy(number)
            if Task.isCancelled { throw CancellationError() }
            throw error
        }
        return try await finishCopy(number)
    }

    private func startCopy(_ sql: String) async throws -> UInt64 {
        try await hold(.running) {
            guard PQsendQuery(try openHandle(), sql) == 1 else { throw sendFailure(nil) }
            guard let result = try await nextResult() else {
                throw PostgresError(.protocolViolation, "COPY has no answer")
            }
            if result.status == PGRES_COPY_IN { return }
            let isError = result.status == PGRES_FATAL_ERROR
            let failure =
                isError
                ? error(of: result, statement: nil)
                : PostgresError(.protocolViolation, "the statement is not COPY … FROM STDIN")
            if result.status == PGRES_COPY_OUT { connectionBroke(failure) }
            while !isBroken, try await nextResult() != nil {}
            throw failure
        }
    }

    private func sendCopy(_ chunk: [UInt8], of number: UInt64) async throws {
        try await heldStep(number) {
            let pointer = try openHandle()
            let length = Int32(clamping: chunk.count)
            while true {
                let taken = chunk.withUnsafeBytes {
                    PQputCopyData(pointer, $0.baseAddress?.assumingMemoryBound(to: CChar.self), length)
                }
                if taken == 1 { break }
                guard taken == 0 else { throw sendFailure(nil) }
                try await awaitWritable()
            }
            while !flushOutput(pointer) { try await awaitWritable() }
        }
    }

    private func awaitWritable() async throws {
        watch?.resumeWriting()
        await waitForEvent()
        _ = try openHandle()
        if isCancelRequested { throw CancellationError() }
    }

    private func finishCopy(_ number: UInt64) async throws -> Int {
        let affected: Int
        do {
            affected = try await heldStep(number) {
                let pointer = try openHandle()
                while true {
                    let taken = PQputCopyEnd(pointer, nil)
                    if taken == 1 { break }
                    guard taken == 0 else { throw sendFailure(nil) }
                    try await awaitWritable()
                }
                return try await collectResult(statement: nil).affectedRows
            }
        } catch {
            await endHold()
            throw error
        }
        await endHold()
        return affected
    }

    /// Makes the server drop what it got. Whatever it answers, the cause is already known.
    private func abandonCopy(_ number: UInt64) async {
        guard isHolding(number) else { return }
        if let pointer = handle?.pointer, !isBroken {
            while PQputCopyEnd(pointer, "the sender gave up") == 0, !isBroken {
                watch?.resumeWriting()
                await waitForEvent()
            }
            // An error here is the answer to giving up, or a lost connection that the next use reports.
            while let result = try? await nextResult() {
                if result.status == PGRES_FATAL_ERROR { _ = error(of: result, statement: nil) }
            }
        }
        await endHold()
    }
}
