import CLibPQ

extension PostgresError {
    /// The error that a libpq result carries.
    init(result: OpaquePointer?, code: Code = .server, statement: String?) {
        func field(_ letter: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) }
        }
        let fallback = PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        let sqlState = field("C")
        self.init(
            code,
            field("M") ?? PostgresError.trimmed(fallback),
            sqlState: sqlState,
            statement: statement)
        detail = field("D")
        hint = field("H")
        constraint = field("n")
        table = field("t")
        column = field("c")
    }

    /// The text that libpq keeps for the connection, which never quotes parameters.
    static func connectionMessage(_ connection: OpaquePointer?) -> String {
        trimmed(PQerrorMessage(connection).map { String(cString: $0) } ?? "out of memory")
    }

    private static func trimmed(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        return lines.map { $0.trimmingPrefix("\t") }.joined(separator: "; ")
    }
}
