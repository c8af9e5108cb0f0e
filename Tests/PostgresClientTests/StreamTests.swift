import PostgresClient
import Testing

extension ServerTests {
    @Suite struct StreamTests {
        @Test func tenThousandRowsArriveInOrder() async throws {
            let connection = try await ServerTests.connect()
            let count = try await connection.withRows("SELECT i::bigint FROM generate_series(1, 10000) i") {
                rows in
                var count = 0
                for try await row in rows {
                    count += 1
                    #expect(try row.decode(Int.self, at: 0) == count)
                }
                return count
            }
            #expect(count == 10_000)
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }

        @Test(arguments: [false, true]) func stoppedEarly(inTransaction: Bool) async throws {
            let connection = try await ServerTests.connect()
            if inTransaction { try await connection.runScript("BEGIN") }
            // Outside a transaction the rest would take for ever; inside one it is read to its end.
            let total = inTransaction ? 20_000 : 2_000_000_000
            let sum = try await connection.withRows(
                Statement(name: "many", sql: "SELECT generate_series(1::bigint, $1)"), [total]
            ) { rows in
                var sum = 0
                for try await row in rows {
                    sum += try row.decode(Int.self, at: 0)
                    if sum >= 55 { break }
                }
                return sum
            }
            #expect(sum == 55)
            #expect(try await connection.query("SELECT 1").count == 1)
            if inTransaction { #expect(connection.isInTransaction) }
            await connection.close()
        }

        @Test func otherStatementsAreRefusedMeanwhile() async throws {
            let connection = try await ServerTests.connect()
            try await connection.withRows("SELECT 1") { _ in
                let error = try await postgresError { try await connection.query("SELECT 2") }
                #expect(error.code == .connectionBusy)
            }
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }

        @Test func anErrorAfterSomeRows() async throws {
            let connection = try await ServerTests.connect()
            let error = try await postgresError {
                try await connection.withRows("SELECT 1 / (5000 - generate_series(1, 10000))") { rows in
                    for try await _ in rows {}
                }
            }
            #expect(error.sqlState == "22012")
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }

        @Test func cancelledWhileStreaming() async throws {
            let connection = try await ServerTests.connect()
            await withThrowingTaskGroup(of: Void.self) { group in
                let (signal, started) = AsyncStream<Void>.makeStream()
                group.addTask {
                    try await connection.withRows("SELECT generate_series(1, 2000000000)") { rows in
                        for try await _ in rows { started.finish() }
                    }
                }
                for await _ in signal {}
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }

        @Test func terminatedWhileTheConsumerIsBusy() async throws {
            let connection = try await ServerTests.connect()
            let killer = try await ServerTests.connect()
            let pid = await connection.serverProcessID
            let error = try await postgresError {
                try await connection.withRows("SELECT repeat('x', 10000), generate_series(1, 1000000)") {
                    rows in
                    var iterator = rows.makeAsyncIterator()
                    #expect(try await iterator.next() != nil)
                    try await killer.query("SELECT pg_terminate_backend($1)", [pid])
                    try await eventually("the session is gone") {
                        try await killer.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [pid]).isEmpty
                    }
                    while try await iterator.next() != nil {}
                }
            }
            #expect(error.isConnectionLost)
            #expect(!connection.isOpen)
            await killer.close()
        }

        @Test func slowConsumersHoldLittle() async throws {
            let connection = try await ServerTests.connect()
            let observer = try await ServerTests.connect()
            let pid = await connection.serverProcessID
            try await connection.withRows("SELECT repeat('x', 10000), generate_series(1, 1000000)") { rows in
                var iterator = rows.makeAsyncIterator()
                #expect(try await iterator.next() != nil)
                // The server waits for room in the socket, because nobody reads from it.
                try await eventually("the server is held back") {
                    let state = try await observer.query(
                        "SELECT wait_event FROM pg_stat_activity WHERE pid = $1", [pid])
                    return try state.first?.decode(String?.self, at: 0) == "ClientWrite"
                }
            }
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
            await observer.close()
        }
    }
}
