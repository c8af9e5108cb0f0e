/// What one statement answered.
public struct PostgresResult: Sendable {
    public let rows: [PostgresRow]
    /// Rows inserted, updated, deleted, selected or copied; 0 for statements that do not count.
    public let affectedRows: Int
    /// The server's word for what was done, as in `INSERT 0 5` or `COMMIT`.
    public let commandTag: String
}
