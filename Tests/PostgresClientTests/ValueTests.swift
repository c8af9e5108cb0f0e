import Foundation
import PostgresClient
import Testing

extension ServerTests {
    @Suite struct ValueTests {
        /// Sends a value, lets the server show it as text too, and reads it back.
        private func echo<Value: PostgresEncodable & PostgresDecodable>(
            _ value: Value, as type: String
        ) async throws -> (value: Value, text: String?) {
            let connection = try await ServerTests.connect()
            let rows = try await connection.query(
                "SELECT $1::\(type) AS v, $1::\(type)::text AS t".sql, [value])
            await connection.close()
            let row = try #require(rows.first)
            return (try row.decode("v", as: Value.self), try row.decode("t", as: String?.self))
        }

        @Test func scalars() async throws {
            #expect(try await echo(true, as: "boolean").text == "true")
            #expect(try await echo(Int16.min, as: "int2") == (.min, "-32768"))
            #expect(try await echo(Int32.max, as: "int4") == (.max, "2147483647"))
            #expect(try await echo(Int64.min, as: "int8") == (.min, "-9223372036854775808"))
            #expect(try await echo(42, as: "int8") == (42, "42"))
            #expect(try await echo(0.1, as: "float8") == (0.1, "0.1"))
            #expect(try await echo(-Double.infinity, as: "float8") == (-.infinity, "-Infinity"))
            #expect(try await echo(UInt64.max, as: "xid8") == (.max, "18446744073709551615"))
            #expect(try await echo("a\\'\"\n\t–🦊", as: "text") == ("a\\'\"\n\t–🦊", "a\\'\"\n\t–🦊"))
            #expect(try await echo("", as: "text") == ("", ""))
            let id = try #require(UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF"))
            #expect(try await echo(id, as: "uuid") == (id, "00112233-4455-6677-8899-aabbccddeeff"))
            #expect(try await echo([UInt8](0...255), as: "bytea").value == [UInt8](0...255))
            #expect(try await echo([UInt8](), as: "bytea") == ([], "\\x"))
            #expect(try await echo(Data([0, 1]), as: "bytea") == (Data([0, 1]), "\\x0001"))
        }

        @Test func nullsAreTyped() async throws {
            #expect(try await echo(Int?.none, as: "int8") == (nil, nil))
            #expect(try await echo(String?.none, as: "text") == (nil, nil))
            #expect(try await echo([UInt8]?.none, as: "bytea") == (nil, nil))
            #expect(try await echo([Int]?.none, as: "int8[]") == (nil, nil))
        }

        @Test func json() async throws {
            let text = "{\"a\": [1, \"x\\\"y\"]}"
            #expect(try await echo(JSONText(text), as: "json").value == JSONText(text))
            #expect(try await echo(JSONText(text), as: "jsonb").value == JSONText(text))
            let documents = [JSONText("1"), JSONText("{\"k\": \"v,\\\"{}\"}")]
            #expect(try await echo(documents, as: "jsonb[]").value == documents)
        }

        @Test func arrays() async throws {
            #expect(try await echo([1, 2, -3], as: "int8[]") == ([1, 2, -3], "{1,2,-3}"))
            #expect(try await echo([Int](), as: "int8[]") == ([], "{}"))
            #expect(try await echo([1, nil, 3] as [Int?], as: "int8[]") == ([1, nil, 3], "{1,NULL,3}"))
            #expect(try await echo([Int16](0..<300), as: "int2[]").value == [Int16](0..<300))
            #expect(try await echo([Int32](0..<300), as: "int4[]").value == [Int32](0..<300))
            #expect(try await echo([true, false], as: "bool[]") == ([true, false], "{t,f}"))
            #expect(
                try await echo([0.5, .infinity], as: "float8[]") == ([0.5, .infinity], "{0.5,Infinity}"))
            #expect(try await echo([UInt64.max, 0], as: "xid8[]").value == [.max, 0])
            let texts = ["", "a,b", "{}", "\"q\"", "back\\slash", "NULL", "null", " x ", "\n", "🦊"]
            #expect(try await echo(texts, as: "text[]").value == texts)
            let withNulls: [String?] = ["", nil, "NULL"]
            #expect(try await echo(withNulls, as: "text[]") == (withNulls, "{\"\",NULL,\"NULL\"}"))
            #expect(try await echo([Data(), Data([7])], as: "bytea[]").value == [Data(), Data([7])])
            let id = try #require(UUID(uuidString: "00112233-4455-6677-8899-AABBCCDDEEFF"))
            #expect(try await echo([id, nil] as [UUID?], as: "uuid[]").value == [id, nil])
            let dates = [Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: -0.5)]
            #expect(try await echo(dates, as: "timestamptz[]").value == dates)
        }

        @Test func timestampsAreExactToTheMicrosecond() async throws {
            let connection = try await ServerTests.connect()
            try await connection.execute("SET timezone = 'UTC'")
            let cases: [(String, Double)] = [
                ("1970-01-01 00:00:00+00", 0), ("2000-01-01 00:00:00+00", 946_684_800),
                ("1969-12-31 23:59:59.999999+00", -0.000001),
                ("1999-12-31 23:59:59.500001+00", 946_684_799.500001),
                ("1900-03-01 12:00:00.000001+00", -2_203_848_000 + 0.000001),
                ("2026-02-28 23:59:59.123457+00", 1_772_323_199.123457),
                ("2100-12-31 00:00:00.999999+00", 4_133_894_400.999999),
            ]
            for (text, seconds) in cases {
                let date = Date(timeIntervalSince1970: seconds)
                let sent = try await connection.query("SELECT $1::text", [text + "|"])
                #expect(sent.count == 1)
                let rows = try await connection.query(
                    "SELECT $1 = $2::text::timestamptz, $1::text, $2::text::timestamptz", [date, text])
                let row = try #require(rows.first)
                #expect(try row.decode(Bool.self, at: 0), "\(text)")
                #expect(try row.decode(String.self, at: 1) == text)
                let read = try row.decode(Date.self, at: 2)
                let again = try await connection.query("SELECT $1 = $2::text::timestamptz", [read, text])
                #expect(try again.first?.decode(Bool.self, at: 0) == true)
            }
            for text in ["infinity", "-infinity"] {
                let rows = try await connection.query("SELECT $1::text::timestamptz AS at", [text])
                let error = try await postgresError { _ = try rows.first?.decode("at", as: Date.self) }
                #expect(error.code == .decoding)
                #expect(error.column == "at")
            }
            let error = try await postgresError {
                try await connection.query(
                    "SELECT $1::timestamptz", [Date.distantFuture.addingTimeInterval(.infinity)])
            }
            #expect(error.code == .encoding)
            await connection.close()
        }

        @Test func numericsReadAsTextIntegersAndDoubles() async throws {
            let connection = try await ServerTests.connect()
            for text in [
                "0", "1", "-1", "10000", "0.0001", "-12345.6789", "123456789012345678901234.5", "100.00",
                "0.00000001", "99999999", "NaN",
            ] {
                let rows = try await connection.query("SELECT $1::text::numeric", [text])
                #expect(try rows.first?.decode(String.self, at: 0) == text)
            }
            let sum = try await connection.query(
                "SELECT sum(v) FROM unnest($1::bigint[]) v", [[Int.max, 1, -1]])
            #expect(try sum.first?.decode(Int.self, at: 0) == .max)
            let half = try await connection.query("SELECT 0.5::numeric")
            #expect(try half.first?.decode(Double.self, at: 0) == 0.5)
            #expect(throws: PostgresError.self) { try half.first?.decode(Int.self, at: 0) }
            await connection.close()
        }

        @Test func enumsAndInferredText() async throws {
            let connection = try await ServerTests.connect()
            try await connection.runScript("CREATE TYPE value_mood AS ENUM ('glad', 'sad')")
            try await connection.runScript("CREATE TABLE value_moods (mood value_mood, note jsonb)")
            try await connection.execute("INSERT INTO value_moods VALUES ($1, $2)", ["glad", JSONText("{}")])
            let rows = try await connection.query("SELECT mood, array[mood] FROM value_moods")
            #expect(try rows.first?.decode(String.self, at: 0) == "glad")
            #expect(try rows.first?.decode([String].self, at: 1) == ["glad"])
            await connection.close()
        }

        @Test func megabytes() async throws {
            let text = String(repeating: "0123456789abcdef", count: 65_536)
            #expect(try await echo(text, as: "text").value == text)
            let bytes = [UInt8](repeating: 0xA5, count: 1 << 20)
            #expect(try await echo(bytes, as: "bytea").value == bytes)
        }

        @Test func decodingErrorsNameColumnAndTypes() async throws {
            let connection = try await ServerTests.connect()
            let rows = try await connection.query(
                "SELECT 'secret-value'::text AS label, NULL::int AS gap, 70000 AS big")
            let row = try #require(rows.first)
            let wrong = try await postgresError { _ = try row.decode("label", as: Int.self) }
            #expect(wrong.code == .decoding)
            #expect(wrong.message.contains("\"label\" (text) cannot be read as Int"))
            #expect(!"\(wrong)".contains("secret-value"))
            let null = try await postgresError { _ = try row.decode("gap", as: Int.self) }
            #expect(null.message.contains("NULL"))
            #expect(try row.decode("gap", as: Int?.self) == nil)
            let narrow = try await postgresError { _ = try row.decode("big", as: Int16.self) }
            #expect(narrow.column == "big")
            let missing = try await postgresError { _ = try row.decode("nothing", as: Int.self) }
            #expect(missing.message.contains("nothing"))
            let outside = try await postgresError { _ = try row.decode(Int.self, at: 3) }
            #expect(outside.code == .decoding)
            await connection.close()
        }

        @Test func textWithNULIsRefusedHere() async throws {
            let connection = try await ServerTests.connect()
            let error = try await postgresError { try await connection.query("SELECT $1::text", ["a\0b"]) }
            #expect(error.code == .encoding)
            await connection.close()
        }
    }
}

extension String {
    var sql: Statement { Statement(self) }
}
