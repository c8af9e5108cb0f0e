import PostgresClient
import Synchronization
import Testing

extension ServerTests {
    @Suite struct TransactionTests {
        @Test func commitAndRollback() async throws {
            struct Unwanted: Error {}
            try await ServerTests.withPool { pool in
                try await pool.query("CREATE TABLE tx_plain (i int)")
                try await pool.withTransaction(name: "good") { connection in
                    #expect(connection.isInTransaction)
                    try await connection.execute("INSERT INTO tx_plain VALUES (1)")
                }
                await #expect(throws: Unwanted.self) {
                    try await pool.withTransaction(name: "bad") { connection in
                        try await connection.execute("INSERT INTO tx_plain VALUES (2)")
                        throw Unwanted()
                    }
                }
                #expect(try await pool.query("SELECT * FROM tx_plain").count == 1)
                #expect(pool.statistics["good"].committed == 1)
                #expect(pool.statistics["bad"].failed == 1)
                #expect(pool.statistics.snapshot.map(\.name) == ["bad", "good"])
            }
        }

        @Test func realSerializationConflictsAreRetried() async throws {
            try await ServerTests.withPool { pool in
                try await pool.withConnection {
                    try await $0.runScript("CREATE TABLE tx_sum (i int); INSERT INTO tx_sum VALUES (1), (1)")
                }
                let meeting = Meeting(count: 2)
                let attempts = Counter()
                let options = TransactionOptions(isolation: .serializable)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            try await pool.withTransaction(name: "sum", options: options) { connection in
                                attempts.increase()
                                let rows = try await connection.query("SELECT sum(i) FROM tx_sum")
                                // Both have read before either writes: one of them must fail.
                                await meeting.arrive()
                                let sum = try rows.first?.decode(Int32.self, at: 0)
                                try await connection.execute("INSERT INTO tx_sum VALUES ($1)", [sum])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let counters = pool.statistics["sum"]
                #expect(counters.committed == 2)
                // A repetition may overlap the end of the other transaction and fail once more.
                #expect(counters.serializationRetries >= 1)
                #expect(attempts.value == 2 + counters.serializationRetries)
                let rows = try await pool.query("SELECT i FROM tx_sum ORDER BY i")
                #expect(try rows.map { try $0.decode(Int.self, at: 0) } == [1, 1, 2, 4])
            }
        }

        @Test func deadlocksAreRetried() async throws {
            try await ServerTests.withPool { pool in
                try await pool.withConnection {
                    try await $0.runScript(
                        "CREATE TABLE tx_lock (id int, n int); INSERT INTO tx_lock VALUES (1, 0), (2, 0)"
                    )
                }
                let meeting = Meeting(count: 2)
                let update = Statement(name: "raise", sql: "UPDATE tx_lock SET n = n + 1 WHERE id = $1")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for ids in [[1, 2], [2, 1]] {
                        group.addTask {
                            try await pool.withTransaction(name: "cross") { connection in
                                try await connection.execute(update, [ids[0]])
                                await meeting.arrive()
                                try await connection.execute(update, [ids[1]])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                // A repetition may take its first row before the other transaction woke up.
                #expect(pool.statistics["cross"].deadlockRetries >= 1)
                let rows = try await pool.query("SELECT sum(n) FROM tx_lock")
                #expect(try rows.first?.decode(Int.self, at: 0) == 4)
            }
        }

        @Test func retriesEndAfterTen() async throws {
            let settings = PoolConfiguration(
                minimumConnections: 0, maximumConnections: 1,
                retry: Backoff(initial: .microseconds(1), maximum: .microseconds(10)))
            try await ServerTests.withPool(settings) { pool in
                let attempts = Counter()
                let error = try await postgresError {
                    try await pool.withTransaction(name: "never") { connection in
                        attempts.increase()
                        try await connection.runScript("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
                    }
                }
                #expect(error.isRetryableSerialization)
                #expect(attempts.value == 11)
                #expect(pool.statistics["never"].exhausted == 1)
            }
        }

        @Test func wrappedErrorsAreRetriedToo() async throws {
            struct Wrapped: Error {}
            try await ServerTests.withPool { pool in
                let attempts = Counter()
                try await pool.withTransaction(name: "wrapped") { connection in
                    attempts.increase()
                    guard attempts.value == 1 else { return }
                    do {
                        try await connection.runScript("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")
                    } catch {
                        throw Wrapped()
                    }
                }
                #expect(pool.statistics["wrapped"].deadlockRetries == 1)
            }
        }

        @Test func swallowedErrorsDoNotCommit() async throws {
            try await ServerTests.withPool { pool in
                let error = try await postgresError {
                    try await pool.withTransaction(name: "swallowed") { connection in
                        _ = try await postgresError { try await connection.runScript("SELECT 1 / 0") }
                    }
                }
                #expect(error.code == .transactionAborted)
                #expect(error.sqlState == "22012")
            }
        }

        @Test func aConnectionLostAtCommitLeavesTheOutcomeOpen() async throws {
            try await ServerTests.withPool { pool in
                try await pool.withConnection { connection in
                    try await connection.runScript(
                        """
                        CREATE TABLE tx_unknown (i int);
                        CREATE FUNCTION tx_die() RETURNS trigger LANGUAGE plpgsql AS $$
                        BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
                        CREATE CONSTRAINT TRIGGER die AFTER INSERT ON tx_unknown
                        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tx_die()
                        """)
                }
                let error = try await postgresError {
                    try await pool.withTransaction(name: "unknown") { connection in
                        _ = try await connection.execute("INSERT INTO tx_unknown VALUES (1)")
                    }
                }
                #expect(error.code == .commitOutcomeUnknown)
                #expect(pool.statistics["unknown"].outcomeUnknown == 1)
                var pipeline = PostgresPipeline()
                try pipeline.append("INSERT INTO tx_unknown VALUES (1)")
                let sent = pipeline
                let piped = try await postgresError { _ = try await pool.run(name: "unknown", sent) }
                #expect(piped.code == .commitOutcomeUnknown)
                #expect(try await pool.query("SELECT 1").count == 1)
            }
        }

        @Test func aConnectionLostBeforeCommitIsAPlainLoss() async throws {
            try await ServerTests.withPool { pool in
                let error = try await postgresError {
                    try await pool.withTransaction(name: "lost") { connection in
                        _ = try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
                    }
                }
                #expect(error.code == .connectionLost)
            }
        }

        @Test func cancelledTransactionsRollBack() async throws {
            try await ServerTests.withPool(PoolConfiguration(minimumConnections: 0, maximumConnections: 1)) {
                pool in
                try await pool.query("CREATE TABLE tx_cancelled (i int)")
                await withThrowingTaskGroup(of: Void.self) { group in
                    let (signal, inserted) = AsyncStream<Void>.makeStream()
                    group.addTask {
                        try await pool.withTransaction(name: "cancelled") { connection in
                            try await connection.execute("INSERT INTO tx_cancelled VALUES (1)")
                            inserted.finish()
                            try await connection.query("SELECT pg_sleep(60)")
                        }
                    }
                    for await _ in signal {}
                    group.cancelAll()
                    await #expect(throws: CancellationError.self) { try await group.next() }
                }
                #expect(try await pool.query("SELECT * FROM tx_cancelled").isEmpty)
            }
        }
    }
}

/// Lets a number of tasks wait for each other, once; later arrivals pass.
final class Meeting: Sendable {
    private let state: Mutex<(missing: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(count: Int) {
        state = Mutex((count, []))
    }

    func arrive() async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                state.missing -= 1
                state.waiting.append(continuation)
                guard state.missing <= 0 else { return [] }
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in ready { continuation.resume() }
        }
    }
}

final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    func increase() {
        count.add(1, ordering: .sequentiallyConsistent)
    }
}
