internal import APITypes
internal import Fleet

/// Versions of one document as rows.
struct VersionTable {
    /// Name of the document.
    let name: String
    let now: Timestamp

    /// A history.
    func presentation(of versions: [WireVersion]) throws -> Presentation {
        Presentation(
            [.table(table(of: versions))], names: versions.map { String($0.version) },
            value: .object(["items": .array(try versions.map { try Serialization.tree($0) })]))
    }

    /// One version with its spec.
    func presentation(of version: WireVersion) throws -> Presentation {
        Presentation(
            [
                .table(table(of: [version])), .heading("Spec"),
                .fields(DocumentDescription.flattened(version.spec)),
            ], names: [String(version.version)], value: try Serialization.tree(version))
    }

    private func table(of versions: [WireVersion]) -> Table {
        Table(
            [
                .init("NAME", minimum: 12), .init("VERSION", .always, .right), .init("VERB"),
                .init("ACTOR", minimum: 12), .init("REQUEST", .wide), .init("TIME", .roomy),
                .init("AGE", .always, .right),
            ],
            versions.map { version in
                [
                    Text(name), Text(String(version.version)), Text(version.verb), Text(version.actor),
                    Text(optional: version.requestID), Text(version.at.description),
                    Text(DurationText.short(now.since(version.at))),
                ]
            })
    }
}
