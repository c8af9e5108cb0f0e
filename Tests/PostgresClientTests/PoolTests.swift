import PostgresClient
import Testing

extension ServerTests {
    @Suite struct PoolTests {
        @Test func connectionsAreReused() async throws {
            try await ServerTests.withPool { pool in
                var processes: Set<Int32> = []
                for _ in 0..<10 {
                    processes.insert(try await pool.withConnection { await $0.serverProcessID })
                }
                #expect(processes.count == 1)
                #expect(try await pool.query("SELECT $1", [7]).first?.decode(Int.self, at: 0) == 7)
            }
        }

        @Test(arguments: [
            (Duration.zero ... .zero, "Index"), (.seconds(3600) ... .seconds(3600), "Seq"),
        ])
        func plansAreMadeAnew(_ life: ClosedRange<Duration>, _ second: String) async throws {
            let settings = PoolConfiguration(minimumConnections: 0, maximumConnections: 1, planLife: life)
            try await ServerTests.withPool(settings) { pool in
                func scan(_ connection: PostgresConnection) async throws -> String {
                    let plan = try await connection.query("EXPLAIN EXECUTE find(1)")
                    return try #require(plan.first).decode(String.self, at: 0)
                }
                try await pool.withConnection { connection in
                    try await connection.runScript(
                        """
                        CREATE TEMPORARY TABLE small (id int PRIMARY KEY);
                        INSERT INTO small VALUES (1);
                        ANALYZE small;
                        SET plan_cache_mode = force_generic_plan;
                        PREPARE find(int) AS SELECT id FROM small WHERE id = $1;
                        """)
                    #expect(try await scan(connection).contains("Seq Scan"))
                    // A setting does not touch plans that are made already.
                    try await connection.runScript("SET enable_seqscan = off; SET enable_bitmapscan = off")
                    #expect(try await scan(connection).contains("Seq Scan"))
                }
                let later = try await pool.withConnection { try await scan($0) }
                #expect(later.contains(second))
            }
        }

        @Test func exhaustionAndTimeout() async throws {
            let settings = PoolConfiguration(
                minimumConnections: 0, maximumConnections: 1, queueLimit: 1,
                acquireTimeout: .seconds(10))
            try await ServerTests.withPool(settings) { pool in
                try await pool.withConnection { _ in
                    async let waiting = postgresError { try await pool.query("SELECT 1") }
                    try await eventually("one caller waits") { pool.usage.waiting == 1 }
                    let full = try await postgresError { try await pool.query("SELECT 1") }
                    #expect(full.code == .poolExhausted)
                    #expect(try await waiting.code == .poolTimeout)
                }
                #expect(try await pool.query("SELECT 1").count == 1)
            }
        }

        @Test func cancelledWaitersLeaveTheQueue() async throws {
            try await ServerTests.withPool(PoolConfiguration(minimumConnections: 0, maximumConnections: 1)) {
                pool in
                try await pool.withConnection { _ in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await pool.query("SELECT 1") }
                        try await eventually("one caller waits") { pool.usage.waiting == 1 }
                        group.cancelAll()
                        await #expect(throws: CancellationError.self) { try await group.next() }
                    }
                    #expect(pool.usage.waiting == 0)
                }
            }
        }

        @Test func manyCallersShareFewConnections() async throws {
            try await ServerTests.withPool { pool in
                let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<200 {
                        group.addTask {
                            let rows = try await pool.query(Statement(name: "n", sql: "SELECT $1"), [number])
                            return try rows.first?.decode(Int.self, at: 0) ?? -1
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(sum == 199 * 200 / 2)
                #expect(pool.usage.idle <= 4)
            }
        }

        @Test func idleConnectionsThatDiedAreReplaced() async throws {
            let settings = PoolConfiguration(minimumConnections: 1, maximumConnections: 2)
            try await ServerTests.withPool(settings) { pool in
                let first = try await pool.withConnection { await $0.serverProcessID }
                let killer = try await ServerTests.connect()
                try await killer.query("SELECT pg_terminate_backend($1)", [first])
                await killer.close()
                try await eventually("another session serves") {
                    let next = try await pool.withConnection { await $0.serverProcessID }
                    return next != first
                }
                let statement = Statement(name: "again", sql: "SELECT 1")
                #expect(try await pool.query(statement).count == 1)
            }
        }

        @Test func openTransactionsAreRolledBackOnReturn() async throws {
            try await ServerTests.withPool(PoolConfiguration(minimumConnections: 0, maximumConnections: 1)) {
                pool in
                try await pool.withConnection { connection in
                    try await connection.runScript("BEGIN; CREATE TABLE pool_left_open (i int)")
                }
                let rows = try await pool.query("SELECT to_regclass('pool_left_open') IS NULL")
                #expect(try rows.first?.decode(Bool.self, at: 0) == true)
            }
        }

        @Test func idleConnectionsAboveTheMinimumClose() async throws {
            let settings = PoolConfiguration(
                minimumConnections: 0, maximumConnections: 2, idleTimeout: .milliseconds(50))
            try await ServerTests.withPool(settings) { pool in
                try await pool.query("SELECT 1")
                try await eventually("the pool is empty") { pool.usage.idle == 0 }
            }
        }

        @Test func timeoutsTellWhyThereIsNoConnection() async throws {
            var configuration = try ServerTests.configuration()
            configuration.database = "no_such_database"
            let pool = PostgresPool(
                configuration: configuration,
                pool: PoolConfiguration(minimumConnections: 0, acquireTimeout: .seconds(8)),
                jitter: .seeded(1), logger: ServerTests.logger)
            try await ServerTests.serving(pool) { pool in
                let error = try await postgresError { try await pool.query("SELECT 1") }
                #expect(error.code == .poolTimeout)
                #expect((error.cause as? PostgresError)?.sqlState == "3D000")
            }
        }

        @Test func closedPoolsRefuse() async throws {
            let pool = PostgresPool(
                configuration: try ServerTests.configuration(), jitter: .seeded(1), logger: ServerTests.logger
            )
            _ = try await ServerTests.serving(pool) { try await $0.query("SELECT 1") }
            let error = try await postgresError { try await pool.query("SELECT 1") }
            #expect(error.code == .poolClosed)
        }

        @Test func cancellingRunEndsThePool() async throws {
            let pool = PostgresPool(
                configuration: try ServerTests.configuration(), jitter: .seeded(1), logger: ServerTests.logger
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                try await pool.query("SELECT 1")
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(pool.usage.idle == 0)
        }
    }
}
