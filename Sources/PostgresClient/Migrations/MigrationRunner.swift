public import Logging

/// Brings a schema forward, each migration in a transaction of its own together with its record.
///
/// Two runners at once take turns: the second finds the work of the first done. Safe to run at any time.
public struct MigrationRunner: Sendable {
    /// Serialises the making of the record table itself; nobody else's lock has this key by intent.
    private static let creationLock: Int64 = 0x5C4E_3A11_0001

    private let migrations: [Migration]
    private let logger: Logger

    /// Throws `migration.gap` unless the numbers are 1, 2, 3, …
    public init(_ migrations: [Migration], logger: Logger) throws {
        for (index, migration) in migrations.enumerated() where migration.number != index + 1 {
            throw PostgresError(
                .migrationGap, "expected migration \(index + 1), found \(migration.number)")
        }
        self.migrations = migrations
        self.logger = logger
    }

    /// Applies what is missing.
    ///
    /// Throws `migration.changed` or `migration.gap` before anything is applied, `migration.invalid` for a
    /// script that ends its own transaction, and the server's error of a script that fails; the migrations
    /// before it stay applied.
    public func run(on connection: PostgresConnection) async throws -> MigrationReport {
        try await createTable(connection)
        var report = MigrationReport()
        while let number = try await applyNext(on: connection, &report) {
            report.applied.append(number)
            logger.info("migration applied", metadata: ["migration.number": "\(number)"])
        }
        return report
    }

    /// Reads and verifies the records without applying anything; nothing is recorded in an empty database.
    public func check(on connection: PostgresConnection) async throws -> MigrationReport {
        let exists = try await connection.query("SELECT to_regclass('schema_migration') IS NOT NULL")
        guard try exists.first?.decode(Bool.self, at: 0) == true else { return MigrationReport() }
        return try await verify(on: connection)
    }

    private func createTable(_ connection: PostgresConnection) async throws {
        try await connection.withTransaction { connection in
            // CREATE TABLE IF NOT EXISTS of two sessions at once can fail on the catalogue's own keys.
            try await connection.query("SELECT pg_advisory_xact_lock($1)", [Self.creationLock])
            try await connection.runScript(
                """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    number integer PRIMARY KEY,
                    name text NOT NULL,
                    checksum text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now())
                """)
        }
    }

    /// Applies the next missing migration; nil when there is none. Under a lock that other runners wait for.
    private func applyNext(
        on connection: PostgresConnection, _ report: inout MigrationReport
    ) async throws -> Int? {
        let applied = report.applied
        let (number, verified) = try await connection.withTransaction { connection in
            // Limits for serving must not stop a migration half way, time after time.
            try await connection.runScript("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
            try await connection.runScript("LOCK TABLE schema_migration IN SHARE ROW EXCLUSIVE MODE")
            let verified = try await verify(on: connection)
            guard verified.schemaNumber < migrations.count else { return (Int?.none, verified) }
            let migration = migrations[verified.schemaNumber]
            try await apply(migration, on: connection)
            return (migration.number, verified)
        }
        report = verified
        report.applied = applied
        if let number { report.schemaNumber = number }
        return number
    }

    private func apply(_ migration: Migration, on connection: PostgresConnection) async throws {
        let label = "\(migration.number)_\(migration.name)"
        do {
            try await connection.runScript(migration.sql)
        } catch var error as PostgresError {
            error.message = "migration \(label): \(error.message)"
            throw error
        }
        guard connection.isInTransaction else {
            throw PostgresError(.migrationInvalid, "migration \(label) ends the transaction it runs in")
        }
        try await connection.execute(
            """
            INSERT INTO schema_migration (number, name, checksum)
            VALUES ($1, $2, encode(sha256($3), 'hex'))
            """, [migration.number, migration.name, Array(migration.sql.utf8)])
    }

    /// Compares the records with the files. The server computes the checksums of both.
    private func verify(on connection: PostgresConnection) async throws -> MigrationReport {
        let rows = try await connection.query(
            """
            SELECT m.number, m.name = f.name AND m.checksum = encode(sha256(convert_to(f.sql, 'UTF8')), 'hex')
            FROM schema_migration m
            LEFT JOIN unnest($1::bigint[], $2::text[], $3::text[]) f (number, name, sql) USING (number)
            ORDER BY m.number
            """, [migrations.map(\.number), migrations.map(\.name), migrations.map(\.sql)])
        var report = MigrationReport()
        for (index, row) in rows.enumerated() {
            let number = try row.decode(Int.self, at: 0)
            guard number == index + 1 else {
                throw PostgresError(.migrationGap, "migration \(index + 1) was never applied, \(number) was")
            }
            report.schemaNumber = number
            switch try row.decode(Bool?.self, at: 1) {
            case true: break
            case false: throw PostgresError(.migrationChanged, "migration \(number) was changed after it ran")
            case nil: report.newerThanKnown.append(number)
            }
        }
        return report
    }
}
