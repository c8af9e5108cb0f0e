internal import CSQLite
internal import Foundation

/// A database file that is read and never written.
struct SQLiteFile: ~Copyable {
    let path: String
    private let handle: OpaquePointer

    init(path: String) throws(TraceError) {
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READONLY, nil)
        guard code == SQLITE_OK, let opened else {
            let cause = String(cString: sqlite3_errstr(code))
            sqlite3_close(opened)
            throw TraceError(.unreadable, file: path, expected: "a database that may be read", cause: cause)
        }
        self.path = path
        handle = opened
    }

    deinit { sqlite3_close(handle) }

    /// Calls `body` with each row, its number from 1, and its values as text; NULL is empty.
    ///
    /// - Parameters:
    ///   - query: of as many columns as `columns`.
    ///   - values: of its parameters.
    func forEachRow(
        _ query: String, values: [Int64] = [], columns: Int, expected: String,
        _ body: (Int, [String]) throws(TraceError) -> Void
    ) throws(TraceError) {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, query, -1, &prepared, nil) == SQLITE_OK else {
            throw defect(expected)
        }
        defer { sqlite3_finalize(prepared) }
        for (index, value) in values.enumerated() { sqlite3_bind_int64(prepared, Int32(index + 1), value) }
        var number = 0
        while true {
            switch sqlite3_step(prepared) {
            case SQLITE_DONE: return
            case SQLITE_ROW:
                number += 1
                let texts = (0..<Int32(columns)).map { column in
                    sqlite3_column_text(prepared, column).map { String(cString: $0) } ?? ""
                }
                try body(number, texts)
            default: throw defect(expected)
            }
        }
    }

    private func defect(_ expected: String) -> TraceError {
        TraceError(
            .unreadable, file: path, expected: expected, cause: String(cString: sqlite3_errmsg(handle)))
    }
}

extension TraceSource {
    /// What every database begins with.
    private static let databaseMagic = Data("SQLite format 3\0".utf8)

    /// Whether the file is an SQLite database, by its first bytes. The standard input is not looked at: it
    /// could not be read again.
    func isDatabase() throws(TraceError) -> Bool {
        guard case .file(let path) = self, let handle = FileHandle(forReadingAtPath: path) else {
            return false
        }
        do {
            defer { try? handle.close() }  // why: only read
            return try handle.read(upToCount: Self.databaseMagic.count) == Self.databaseMagic
        } catch {
            throw TraceError(
                .unreadable, file: name, expected: "a readable file", cause: error.localizedDescription)
        }
    }
}
