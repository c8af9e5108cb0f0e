import PostgresClient
import Testing

extension ServerTests {
    @Suite struct PipelineTests {
        private let insert = Statement(name: "insert", sql: "INSERT INTO p VALUES ($1)")

        private func connectionWithTable() async throws -> PostgresConnection {
            let connection = try await ServerTests.connect()
            try await connection.runScript(
                "CREATE TEMP TABLE p (id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
            try await connection.runScript("CREATE UNIQUE INDEX p_now ON p (id)")
            return connection
        }

        @Test func resultsInOrder() async throws {
            let connection = try await connectionWithTable()
            let results = try await connection.pipeline { pipeline in
                for id in 0..<100 { try pipeline.append(insert, [id]) }
                try pipeline.append("SELECT count(*), max(id) FROM p")
            }
            #expect(results.count == 101)
            #expect(results[7].affectedRows == 1)
            #expect(try results[100].rows.first?.decode(Int.self, at: 0) == 100)
            await connection.close()
        }

        @Test func anErrorInTheMiddleAbortsTheRest() async throws {
            let connection = try await connectionWithTable()
            var pipeline = PostgresPipeline()
            for id in [1, 2, 2, 3] { try pipeline.append(insert, [id]) }
            let outcome = try await connection.run(pipeline)
            guard case .success = outcome.entries[1], case .failure(let error) = outcome.entries[2],
                case .aborted = outcome.entries[3]
            else {
                Issue.record("\(outcome)")
                return
            }
            #expect(error.isUniqueViolation)
            #expect(error.statement == "insert")
            #expect(throws: PostgresError.self) { try outcome.get() }
            // The pipeline was one transaction.
            #expect(try await connection.query("SELECT * FROM p").isEmpty)
            #expect(connection.isOpen)
            await connection.close()
        }

        @Test func pipelinesSentTogetherDoNotTouchEachOther() async throws {
            let connection = try await connectionWithTable()
            let pipelines = try [[1, 2], [3, 3], [4, 5]].map { ids in
                var pipeline = PostgresPipeline()
                for id in ids { try pipeline.append(insert, [id]) }
                return pipeline
            }
            let outcomes = try await connection.run(pipelines)
            #expect(outcomes.map { $0.firstError?.sqlState } == [nil, "23505", nil])
            let rows = try await connection.query("SELECT id FROM p ORDER BY id")
            #expect(try rows.map { try $0.decode(Int.self, at: 0) } == [1, 2, 4, 5])
            await connection.close()
        }

        @Test func anErrorOfTheCommitIsReported() async throws {
            let connection = try await connectionWithTable()
            try await connection.runScript("DROP INDEX p_now")
            let error = try await postgresError {
                _ = try await connection.pipeline { pipeline in
                    for id in [1, 1] { try pipeline.append("INSERT INTO p VALUES ($1)", [id]) }
                }
            }
            #expect(error.isUniqueViolation)
            #expect(try await connection.query("SELECT * FROM p").isEmpty)
            await connection.close()
        }

        @Test func wholeTransactionsWithIsolation() async throws {
            let connection = try await connectionWithTable()
            var pipeline = PostgresPipeline()
            try pipeline.append(insert, [1])
            try pipeline.append("SELECT current_setting('transaction_isolation')")
            let options = TransactionOptions(isolation: .serializable)
            let results = try await connection.runTransaction(options, pipeline)
            #expect(results.count == 2)
            #expect(try results[1].rows.first?.decode(String.self, at: 0) == "serializable")
            let error = try await postgresError { _ = try await connection.runTransaction(options, pipeline) }
            #expect(error.isUniqueViolation)
            #expect(!connection.isInTransaction)
            #expect(try await connection.query("SELECT * FROM p").count == 1)
            await connection.close()
        }

        @Test func largePipelinesDoNotBlock() async throws {
            let connection = try await connectionWithTable()
            let text = String(repeating: "x", count: 10_000)
            let results = try await connection.pipeline { pipeline in
                for _ in 0..<2_000 {
                    try pipeline.append(Statement(name: "echo", sql: "SELECT $1::text"), [text])
                }
            }
            #expect(results.count == 2_000)
            #expect(try results[1_999].rows.first?.decode(String.self, at: 0) == text)
            await connection.close()
        }

        @Test func aLostConnectionFailsThePipeline() async throws {
            let connection = try await connectionWithTable()
            let error = try await postgresError {
                _ = try await connection.pipeline { pipeline in
                    try pipeline.append("SELECT 1")
                    try pipeline.append("SELECT pg_terminate_backend(pg_backend_pid())")
                    try pipeline.append("SELECT 1")
                }
            }
            #expect(error.isConnectionLost)
            #expect(!connection.isOpen)
        }

        @Test func cancelledPipeline() async throws {
            let connection = try await connectionWithTable()
            await withThrowingTaskGroup(of: Void.self) { group in
                let sent = DatabaseSignal(connection)
                group.addTask {
                    _ = try await connection.pipeline { pipeline in
                        try pipeline.append("SELECT pg_sleep(60)")
                        try pipeline.append("SELECT 1")
                    }
                }
                try? await sent.untilSleeping()
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }
    }
}

/// Watches from another session what a connection is doing.
struct DatabaseSignal {
    let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func untilSleeping() async throws {
        let observer = try await ServerTests.connect()
        let pid = await connection.serverProcessID
        try await eventually("the statement sleeps") {
            let rows = try await observer.query(
                "SELECT wait_event FROM pg_stat_activity WHERE pid = $1", [pid])
            return try rows.first?.decode(String?.self, at: 0) == "PgSleep"
        }
        await observer.close()
    }
}
