import CLibPQ
import Synchronization

extension PostgresConnection {
    /// Runs a statement and hands its rows to `body` as they arrive, in constant memory.
    ///
    /// Reading pauses while `body` is busy, so a slow consumer slows the server down. `body` need not read to
    /// the end: outside a transaction the rest is cancelled on the server; inside one, where that would
    /// abort the transaction, it is read and dropped. Meanwhile other statements on this connection throw
    /// `connection.busy`.
    public nonisolated func withRows<Result>(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = [],
        _ body: (PostgresRowStream) async throws -> Result
    ) async throws -> Result {
        let number = try await openStream(EncodedQuery(statement, parameters))
        let result: Result
        do {
            result = try await body(PostgresRowStream(connection: self, number: number))
        } catch {
            await closeStream(number)
            throw error
        }
        await closeStream(number)
        return result
    }

    private func openStream(_ query: EncodedQuery) async throws -> UInt64 {
        let wasIdle = condition.withLock { $0.transaction == .idle }
        let number = try await hold(.streaming) {
            try await prepare([query])
            try send(query)
            guard PQsetSingleRowMode(try openHandle()) == 1 else { throw sendFailure(query.statement.name) }
        }
        stream = RowStreamState(statement: query.statement.name, isAloneInTransaction: wasIdle)
        return number
    }

    /// The next rows, as many as have arrived; nil at the end.
    func nextRows(of number: UInt64) async throws -> [PostgresRow]? {
        try await heldStep(number) { try await readBatch() }
    }

    private func readBatch() async throws -> [PostgresRow]? {
        while let pointer = handle?.pointer, stream?.isFinished == false {
            flushOutput(pointer)
            if PQisBusy(pointer) != 0 {
                if let rows = stream?.takeRows(), !rows.isEmpty { return rows }
                if isBroken { _ = try openHandle() }
                await waitForEvent()
                continue
            }
            guard let result = try await nextResult() else {
                stream?.isFinished = true
                break
            }
            switch result.status {
            case PGRES_SINGLE_TUPLE:
                stream?.append(result.pointer)
                if stream?.isBatchFull == true { return stream?.takeRows() }
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                break
            default:
                let failure = error(of: result, statement: stream?.statement)
                stream?.failure = failure
            }
        }
        let rows = stream?.takeRows() ?? []
        if rows.isEmpty, let failure = stream?.failure { throw failure }
        return rows.isEmpty ? nil : rows
    }

    private func closeStream(_ number: UInt64) async {
        guard isHolding(number), let open = stream else { return }
        if !open.isFinished {
            if open.isAloneInTransaction { requestCancel(of: number) }
            // An error here is the cancelled statement's own, or a lost connection that the next use reports.
            while let result = try? await nextResult() {
                if result.status == PGRES_FATAL_ERROR { _ = error(of: result, statement: nil) }
            }
        }
        stream = nil
        await endHold()
    }
}

/// The stream that is open on a connection.
struct RowStreamState {
    /// Rows and bytes handed over at a time: enough to make the hop between tasks cheap per row, few enough
    /// that a slow consumer holds little.
    private static let batchRows = 512
    private static let batchBytes = 256 * 1024

    let statement: String?
    let isAloneInTransaction: Bool
    var isFinished = false
    var failure: PostgresError?
    private var builder: RowTableBuilder?

    init(statement: String?, isAloneInTransaction: Bool) {
        self.statement = statement
        self.isAloneInTransaction = isAloneInTransaction
    }

    var isBatchFull: Bool {
        guard let builder else { return false }
        return builder.rowCount >= Self.batchRows || builder.byteCount >= Self.batchBytes
    }

    mutating func append(_ result: OpaquePointer) {
        if builder == nil { builder = RowTableBuilder(head: result) }
        builder?.append(result)
    }

    mutating func takeRows() -> [PostgresRow] {
        guard let rowCount = builder?.rowCount, rowCount > 0 else { return [] }
        return builder?.take() ?? []
    }
}
