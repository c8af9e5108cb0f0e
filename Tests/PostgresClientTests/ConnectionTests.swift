import Foundation
import PostgresClient
import Testing

extension ServerTests {
    @Suite struct ConnectionTests {
        @Test func affectedRowsAndErrors() async throws {
            let connection = try await ServerTests.connect()
            try await connection.runScript("CREATE TEMP TABLE t (id int PRIMARY KEY, n int CHECK (n > 0))")
            let inserted = try await connection.execute(
                "INSERT INTO t SELECT i, i FROM generate_series(1, $1::int) i", [5])
            #expect(inserted == 5)
            let unique = try await postgresError {
                try await connection.execute("INSERT INTO t VALUES (1, 1)")
            }
            #expect(unique.isUniqueViolation)
            #expect(unique.constraint == "t_pkey")
            #expect(unique.table == "t")
            let check = try await postgresError {
                try await connection.execute("INSERT INTO t VALUES (9, 0)")
            }
            #expect(check.isCheckViolation)
            let syntax = try await postgresError { try await connection.runScript("SELEC 1") }
            #expect(syntax.sqlState == "42601")
            #expect(try await connection.query("SELECT * FROM t").count == 5)
            await connection.close()
        }

        @Test func sessionSettingsApply() async throws {
            var configuration = try ServerTests.configuration()
            configuration.session.statementTimeout = .milliseconds(1_234)
            configuration.session.lockTimeout = .seconds(5)
            configuration.session.idleInTransactionTimeout = .zero
            let connection = try await PostgresConnection.connect(configuration, logger: ServerTests.logger)
            let rows = try await connection.query(
                """
                SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
                       current_setting('application_name')
                """
            )
            let row = try #require(rows.first)
            #expect(try row.decode(String.self, at: 0) == "1234ms")
            #expect(try row.decode(String.self, at: 1) == "5s")
            #expect(try row.decode(String.self, at: 2) == "test")
            await connection.close()
            let closed = try await postgresError { try await connection.query("SELECT 1") }
            #expect(closed.code == .connectionClosed)
        }

        @Test func preparedStatementsAreMadeOnce() async throws {
            let connection = try await ServerTests.connect()
            let statement = Statement(name: "add", sql: "SELECT $1 + 1")
            for number in 0..<3 {
                let rows = try await connection.query(statement, [number])
                #expect(try rows.first?.decode(Int.self, at: 0) == number + 1)
            }
            let prepared = try await connection.query("SELECT name FROM pg_prepared_statements")
            #expect(try prepared.map { try $0.decode(String.self, at: 0) } == ["add"])
            let mismatch = try await postgresError { try await connection.query(statement, [Int16(1)]) }
            #expect(mismatch.code == .statementMismatch)
            #expect(mismatch.statement == "add")
            await connection.close()
        }

        @Test func stalePlansArePreparedAgain() async throws {
            let connection = try await ServerTests.connect()
            try await connection.runScript("CREATE TEMP TABLE stale (a int); INSERT INTO stale VALUES (1)")
            let statement = Statement(name: "stale", sql: "SELECT * FROM stale")
            #expect(try await connection.query(statement).count == 1)
            try await connection.runScript("ALTER TABLE stale ADD b text DEFAULT 'x'")
            let error = try await postgresError { try await connection.query(statement) }
            #expect(error.isStalePlan)
            #expect(try await connection.query(statement).first?.decode("b", as: String.self) == "x")
            await connection.close()
        }

        @Test func statementsOfManyTasksTakeTurns() async throws {
            let connection = try await ServerTests.connect()
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let rows = try await connection.query(
                            Statement(name: "turn", sql: "SELECT $1"), [number])
                        return try rows.first?.decode(Int.self, at: 0) ?? -1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 49 * 50 / 2)
            await connection.close()
        }

        @Test func terminatedWhileRunning() async throws {
            let victim = try await ServerTests.connect()
            let killer = try await ServerTests.connect()
            let pid = await victim.serverProcessID
            async let failure = postgresError { try await victim.query("SELECT pg_sleep(60)") }
            try await eventually("the statement runs") {
                try await isActive(pid, killer)
            }
            try await killer.query("SELECT pg_terminate_backend($1)", [pid])
            let error = try await failure
            #expect(error.isConnectionLost)
            #expect(error.isAdminShutdown)
            #expect(!victim.isOpen)
            let next = try await postgresError { try await victim.query("SELECT 1") }
            #expect(next.isConnectionLost)
            await victim.close()
            await killer.close()
        }

        @Test func terminatedWhileIdleIsNoticedAtOnce() async throws {
            let victim = try await ServerTests.connect()
            let killer = try await ServerTests.connect()
            let pid = await victim.serverProcessID
            try await killer.query("SELECT pg_terminate_backend($1)", [pid])
            try await eventually("the connection knows") { !victim.isOpen }
            let error = try await postgresError { try await victim.query("SELECT 1") }
            #expect(error.isAdminShutdown)
            await victim.close()
            await killer.close()
        }

        @Test func cancellationStopsTheStatement() async throws {
            let connection = try await ServerTests.connect()
            let observer = try await ServerTests.connect()
            let pid = await connection.serverProcessID
            let start = ContinuousClock.now
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await connection.query("SELECT pg_sleep(60)") }
                try? await eventually("the statement runs") { try await isActive(pid, observer) }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(connection.isOpen)
            #expect(try await connection.query("SELECT 1").count == 1)
            #expect(await connection.serverProcessID == pid)
            await connection.close()
            await observer.close()
        }

        @Test func cancelledBeforeItsStart() async throws {
            let connection = try await ServerTests.connect()
            await withThrowingTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask { try await connection.query("SELECT 1") }
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
            #expect(try await connection.query("SELECT 1").count == 1)
            await connection.close()
        }

        @Test func connectFailuresCarryTheReason() async throws {
            var configuration = try ServerTests.configuration()
            configuration.database = "no_such_database"
            let unknown = try await postgresError {
                _ = try await PostgresConnection.connect(configuration, logger: ServerTests.logger)
            }
            #expect(unknown.code == .connectionFailed)
            #expect(unknown.sqlState == "3D000")
            #expect(!unknown.message.contains("LOCATION"))
            configuration.endpoint = .socketDirectory("/nonexistent", port: 5432)
            let refused = try await postgresError {
                _ = try await PostgresConnection.connect(configuration, logger: ServerTests.logger)
            }
            #expect(refused.code == .connectionFailed)
        }

        @Test func connectTimesOutOnABlackHole() async throws {
            let hole = try BlackHole()
            let configuration = PostgresConfiguration(
                endpoint: .host("127.0.0.1", port: hole.port), user: "nobody", password: "hush",
                connectTimeout: .milliseconds(100))
            let error = try await postgresError {
                _ = try await PostgresConnection.connect(configuration, logger: ServerTests.logger)
            }
            #expect(error.code == .connectTimeout)
            #expect(!"\(error) \(configuration)".contains("hush"))
        }

        @Test func cancelledConnectEnds() async throws {
            let hole = try BlackHole()
            let configuration = PostgresConfiguration(
                endpoint: .host("127.0.0.1", port: hole.port), connectTimeout: .seconds(600))
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await PostgresConnection.connect(configuration, logger: ServerTests.logger)
                }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }

        private func isActive(_ pid: Int32, _ observer: PostgresConnection) async throws -> Bool {
            let rows = try await observer.query(
                "SELECT state = 'active' AND query LIKE '%pg_sleep%' FROM pg_stat_activity WHERE pid = $1",
                [pid])
            return try rows.first?.decode(Bool.self, at: 0) ?? false
        }
    }
}

/// A socket that accepts connections and never answers.
final class BlackHole {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isListening)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit {
        close(descriptor)
    }
}
