import PostgresClient
import Store
import Testing

@Suite("The schema", .postgresServer)
struct SchemaTests {
    @Test("every file applied again changes nothing")
    func repeats() async throws {
        try await PostgresHarness.with { harness in
            try await PostgresServer.connected(harness.configuration) { connection in
                let fresh = try await Self.dump(connection)
                #expect(fresh.count > 100)
                for migration in try PostgresServer.migrations() {
                    try await connection.runScript("BEGIN; \(migration.sql); COMMIT")
                }
                #expect(try await Self.dump(connection) == fresh)
                let report = try await MigrationRunner(
                    PostgresServer.migrations(), logger: PostgresServer.logger
                ).run(on: connection)
                #expect(report.applied.isEmpty)
            }
        }
    }

    @Test("without the clock of tests time is the server's")
    func clock() async throws {
        try await PostgresHarness.with { harness in
            var configuration = harness.configuration
            configuration.session.parameters["basalt.test_clock"] = nil
            try await PostgresServer.connected(configuration) { connection in
                let rows = try await connection.query(
                    "SELECT basalt_now() BETWEEN now() AND clock_timestamp()")
                #expect(try rows.first?.decode(Bool.self, at: 0) == true)
            }
        }
    }

    /// Columns, constraints, indexes and functions, each as the server words it.
    private static func dump(_ connection: PostgresConnection) async throws -> [String] {
        try await connection.query(
            """
            SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' '
                || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS line
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attnum > 0 AND NOT a.attisdropped
            UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            ORDER BY 1
            """
        ).map { try $0.decode(String.self, at: 0) }
    }
}
