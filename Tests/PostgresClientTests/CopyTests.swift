import Foundation
import PostgresClient
import Testing

extension ServerTests {
    @Suite struct CopyTests {
        @Test func tenThousandRows() async throws {
            let connection = try await ServerTests.connect()
            try await connection.runScript("CREATE TEMP TABLE c (id bigint, label text, flag bool)")
            let rows = (0..<10_000).map { id in
                var row = CopyRow()
                row.append(id)
                if id % 10 == 0 { row.appendNull() } else { row.append("label \(id)") }
                row.append(id % 2 == 0)
                return row
            }
            let count = try await connection.copyIn("COPY c (id, label, flag) FROM STDIN", rows: rows)
            #expect(count == 10_000)
            let check = try await connection.query(
                "SELECT count(*), sum(id), count(label), count(*) FILTER (WHERE flag) FROM c")
            let row = try #require(check.first)
            #expect(
                try (0..<4).map { try row.decode(Int.self, at: $0) } == [10_000, 49_995_000, 9_000, 5_000])
            await connection.close()
        }

        @Test func valuesSurviveTheTextFormat() async throws {
            let connection = try await ServerTests.connect()
            try await connection.runScript(
                "CREATE TEMP TABLE c (t text, b bytea, d timestamptz, j jsonb, f float8, u uuid)")
            let text = "tab\tnew\nline\r back\\slash \\N \\."
            let dates = [
                0, -0.000001, 951_782_400.123456, 951_868_799.999999, -2_203_891_200, 4_107_542_400,
                1_772_323_199.5,
            ].map { Date(timeIntervalSince1970: $0) }
            let id = try #require(UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF"))
            let rows = try dates.map { date in
                var row = CopyRow()
                row.append(text)
                row.append(bytes: [0, 9, 10, 92, 255])
                try row.append(date)
                row.append(JSONText("{\"a\": \"x\\ny\"}"))
                row.append(0.1)
                row.append(id)
                return row
            }
            #expect(try await connection.copyIn("COPY c FROM STDIN", rows: rows) == dates.count)
            let read = try await connection.query("SELECT * FROM c")
            for (row, date) in zip(read, dates) {
                #expect(try row.decode("t", as: String.self) == text)
                #expect(try row.decode("b", as: [UInt8].self) == [0, 9, 10, 92, 255])
                // The literals lie between two microseconds; the nearer one is stored.
                let stored = try row.decode("d", as: Date.self)
                #expect(abs(stored.timeIntervalSince(date)) < 0.000_000_5)
                #expect(try row.decode("j", as: JSONText.self) == JSONText("{\"a\": \"x\\ny\"}"))
                #expect(try row.decode("f", as: Double.self) == 0.1)
                #expect(try row.decode("u", as: UUID.self) == id)
            }
            await connection.close()
        }

        @Test func asyncRowsAndTheirFailure() async throws {
            struct Broken: Error {}
            let connection = try await ServerTests.connect()
            try await connection.runScript("CREATE TEMP TABLE c (t text)")
            let good = AsyncStream<CopyRow> { stream in
                for number in 0..<100 { stream.yield(CopyRow(["row \(number)"])) }
                stream.finish()
            }
            #expect(try await connection.copyIn("COPY c FROM STDIN", rows: good) == 100)
            let bad = AsyncThrowingStream<CopyRow, any Error> { stream in
                for _ in 0..<100 { stream.yield(CopyRow([String(repeating: "x", count: 10_000)])) }
                stream.finish(throwing: Broken())
            }
            await #expect(throws: Broken.self) {
                _ = try await connection.copyIn("COPY c FROM STDIN", rows: bad)
            }
            #expect(try await connection.query("SELECT * FROM c").count == 100)
            await connection.close()
        }

        @Test func badRowsAreTheServersError() async throws {
            let connection = try await ServerTests.connect()
            try await connection.runScript("CREATE TEMP TABLE c (n int)")
            let error = try await postgresError {
                _ = try await connection.copyIn("COPY c FROM STDIN", rows: [CopyRow(["1"]), CopyRow(["x"])])
            }
            #expect(error.sqlState == "22P02")
            let wrong = try await postgresError {
                _ = try await connection.copyIn("SELECT 1", rows: [CopyRow]())
            }
            #expect(wrong.code == .protocolViolation)
            #expect(try await connection.query("SELECT * FROM c").isEmpty)
            await connection.close()
        }
    }
}
