import Foundation
import PostgresClient
import Testing

extension ServerTests {
    @Suite struct MigrationTests {
        private let first = Migration(
            number: 1, name: "first", sql: "CREATE TABLE a (i int); INSERT INTO a VALUES (1)")
        private let second = Migration(number: 2, name: "second", sql: "ALTER TABLE a ADD COLUMN b text")

        /// A connection to an empty schema of its own.
        private func connection(_ schema: String) async throws -> PostgresConnection {
            let connection = try await ServerTests.connect()
            try await connection.runScript(
                "CREATE SCHEMA IF NOT EXISTS \(schema); SET search_path = \(schema)")
            return connection
        }

        private func run(
            _ migrations: [Migration], _ connection: PostgresConnection
        ) async throws -> MigrationReport {
            try await MigrationRunner(migrations, logger: ServerTests.logger).run(on: connection)
        }

        @Test func twiceEqualsOnce() async throws {
            let connection = try await connection("migrate_twice")
            let report = try await run([first, second], connection)
            #expect(report.applied == [1, 2])
            let again = try await run([first, second], connection)
            #expect(again.applied.isEmpty)
            #expect(again.schemaNumber == 2)
            #expect(try await connection.query("SELECT i, b FROM a").count == 1)
            await connection.close()
        }

        @Test func changedGapsAndNewer() async throws {
            let connection = try await connection("migrate_refuse")
            #expect(
                try await MigrationRunner([first], logger: ServerTests.logger).check(on: connection)
                    .schemaNumber == 0)
            _ = try await run([first, second], connection)
            let changed = Migration(number: 2, name: "second", sql: "ALTER TABLE a ADD COLUMN c text")
            #expect(
                try await postgresError { _ = try await run([first, changed], connection) }.code
                    == .migrationChanged)
            let gap = try await postgresError {
                _ = try MigrationRunner([second], logger: ServerTests.logger)
            }
            #expect(gap.code == .migrationGap)
            // A binary that knows less than the schema goes on.
            let older = try await run([first], connection)
            #expect(older.newerThanKnown == [2])
            #expect(older.schemaNumber == 2)
            let check = try await MigrationRunner([first], logger: ServerTests.logger).check(on: connection)
            #expect(check.newerThanKnown == [2])
            try await connection.execute("DELETE FROM schema_migration WHERE number = 1")
            #expect(
                try await postgresError { _ = try await run([first, second], connection) }.code
                    == .migrationGap)
            await connection.close()
        }

        @Test func failuresLeaveNothingHalf() async throws {
            let connection = try await connection("migrate_fail")
            let broken = Migration(number: 2, name: "broken", sql: "CREATE TABLE b (i int); SELECT 1 / 0")
            let error = try await postgresError { _ = try await run([first, broken], connection) }
            #expect(error.sqlState == "22012")
            #expect(error.message.contains("2_broken"))
            let left = try await connection.query(
                "SELECT to_regclass('a') IS NOT NULL, to_regclass('b') IS NULL")
            #expect(try left.first?.decode(Bool.self, at: 0) == true)
            #expect(try left.first?.decode(Bool.self, at: 1) == true)
            let ending = Migration(number: 2, name: "ending", sql: "CREATE TABLE c (i int); COMMIT")
            let ended = try await postgresError { _ = try await run([first, ending], connection) }
            #expect(ended.code == .migrationInvalid)
            await connection.close()
        }

        @Test func runnersAtOnceTakeTurns() async throws {
            let migrations = (1...20).map { number in
                Migration(number: number, name: "step", sql: "CREATE TABLE t\(number) (i int)")
            }
            let setup = try await connection("migrate_race")
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let connection = try await connection("migrate_race")
                        let report = try await run(migrations, connection)
                        await connection.close()
                        return report.applied
                    }
                }
                return try await group.reduce([], +)
            }
            #expect(applied.sorted() == Array(1...20))
            await setup.close()
        }

        @Test func directories() async throws {
            try await TemporaryDirectory.with { directory in
                for (name, sql) in [
                    ("0002_two.sql", "SELECT 2"), ("0001_one.sql", "SELECT 1"), ("README.md", ""),
                ] {
                    try sql.write(
                        to: directory.appendingPathComponent(name), atomically: true, encoding: .utf8)
                }
                let migrations = try Migration.read(from: directory)
                #expect(migrations.map(\.number) == [1, 2])
                #expect(migrations.map(\.name) == ["one", "two"])
                try "".write(
                    to: directory.appendingPathComponent("3_bad.sql"), atomically: true, encoding: .utf8)
                let error = try await postgresError { _ = try Migration.read(from: directory) }
                #expect(error.code == .migrationInvalid)
            }
        }
    }
}
