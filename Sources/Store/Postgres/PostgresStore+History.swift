public import Fleet
internal import PostgresClient

extension PostgresStore {
    public func versions(of kind: Kind, project: String?, name: String, before: Int?, limit: Int) async throws
        -> [DocumentVersion]
    {
        let rows = try await read(
            Self.versionsStatement, [kind.rawValue, project ?? "", name, before, limit])
        guard !rows.isEmpty else { throw StoreError.notFound(kind: kind, name: name) }
        return try rows.compactMap(Self.version)
    }

    public func version(_ number: Int, of kind: Kind, project: String?, name: String) async throws
        -> DocumentVersion?
    {
        let rows = try await read(Self.versionStatement, [kind.rawValue, project ?? "", name, number])
        guard let row = rows.first else { throw StoreError.notFound(kind: kind, name: name) }
        return try Self.version(row)
    }

    /// Nil for the row of a document that has no such version.
    private static func version(_ row: PostgresRow) throws -> DocumentVersion? {
        guard let number = try row.decode("version", as: Int?.self) else { return nil }
        return DocumentVersion(
            version: number, at: try row.timestamp("at"), actor: try row.decode("actor"),
            requestID: try row.decode("request_id"), verb: try row.decode("verb"),
            spec: try row.decode("spec", as: JSONText.self).text)
    }

    /// A row at least for each document that there is.
    private static let versions = """
        SELECT v.version, v.at, v.actor, v.request_id, v.verb, v.spec
        FROM document d LEFT JOIN document_version v ON v.document = d.uid
        """
    private static let versionsStatement = Statement(
        name: "document_versions",
        sql: """
            \(versions) AND ($4::bigint IS NULL OR v.version < $4)
            WHERE d.kind = $1 AND d.project = $2 AND d.name = $3 ORDER BY v.version DESC LIMIT $5
            """)
    private static let versionStatement = Statement(
        name: "document_version",
        sql: "\(versions) AND v.version = $4 WHERE d.kind = $1 AND d.project = $2 AND d.name = $3")
}
