/// The statements that one session has prepared.
struct PreparedStatements {
    /// Names a session keeps; each costs memory on the server. More is a name made from data.
    static let maximumCount = 4_096

    private struct Entry {
        var sql: String
        var types: [UInt32]
        var serverName: String
        var isPrepared: Bool
    }

    private var entries: [String: Entry] = [:]
    private var generation = 0

    /// The server's name for a statement, and whether it must be prepared first.
    ///
    /// Throws `statement.mismatch` when the name has another text or other types.
    mutating func lookUp(_ query: EncodedQuery, name: String) throws -> (serverName: String, isPrepared: Bool)
    {
        if let entry = entries[name] {
            guard entry.sql == query.statement.sql, entry.types == query.parameters.types else {
                let what = entry.sql == query.statement.sql ? "parameter types" : "SQL"
                throw PostgresError(
                    .statementMismatch, "the name was used with other \(what)", statement: name)
            }
            return (entry.serverName, entry.isPrepared)
        }
        guard entries.count < Self.maximumCount else {
            throw PostgresError(
                .limitExceeded, "more than \(Self.maximumCount) prepared statements", statement: name)
        }
        let serverName = generation == 0 ? name : "\(name)#\(generation)"
        entries[name] = Entry(
            sql: query.statement.sql, types: query.parameters.types, serverName: serverName,
            isPrepared: false)
        return (serverName, false)
    }

    mutating func markPrepared(_ name: String) {
        entries[name]?.isPrepared = true
    }

    /// Forgets a name, because preparing it failed or its plan is stale. Later preparations get fresh names
    /// on the server, where the old one may still exist.
    mutating func forget(_ name: String) {
        guard let entry = entries.removeValue(forKey: name), entry.isPrepared else { return }
        generation += 1
    }
}
