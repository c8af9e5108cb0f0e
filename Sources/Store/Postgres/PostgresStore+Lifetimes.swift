internal import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func writeLifetimes(_ note: LifetimeNote, lease: CellLease) async throws {
        _ = try await write(
            Self.noteStatement, [lease.cell, lease.token, JSONText(note.cell), JSONText(note.hostsText)])
    }

    public func lifetimes(cell: String) async throws -> LifetimeRecord {
        let hosts = try await read(Self.hostLifetimesStatement, [cell]).map { row in
            LifetimeRecord.Host(
                host: try row.id("host"), kept: try row.decode("kept", as: JSONText?.self)?.text,
                arrivals: try row.json("arrivals"))
        }
        let content = try await read(Self.cellLifetimeStatement, [cell]).first?
            .decode("content", as: JSONText.self)
        return LifetimeRecord(cell: content?.text, hosts: hosts)
    }

    private static let noteStatement = Statement(
        name: "lifetime_note", sql: "SELECT lifetime_note_1($1, $2, $3::jsonb, $4::jsonb)")
    private static let cellLifetimeStatement = Statement(
        name: "cell_lifetime", sql: "SELECT content FROM cell_lifetime WHERE cell = $1")
    private static let hostLifetimesStatement = Statement(
        name: "host_lifetimes",
        sql: "SELECT host, kept, arrivals FROM host_lifetime WHERE cell = $1 ORDER BY host")
}

extension LifetimeNote {
    /// The hosts as one JSON object.
    var hostsText: String {
        var object = JSONWriter.object()
        for (host, text) in hosts.sorted(by: { $0.key < $1.key }) {
            object.member(host.description, raw: text)
        }
        return object.closed
    }
}
