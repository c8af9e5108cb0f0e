package import Fleet
internal import Foundation

extension DocumentStore {
    /// Every document of a kind in order of (project, name), read page by page.
    ///
    /// Each page is of its own moment: who must miss nothing takes the feed's position before.
    /// - Parameter cell: the cell that hosts, pools and VMs name; nil reads those of every cell.
    package func all(_ kind: Kind, cell: String? = nil) async throws -> [Resource] {
        var found: [Resource] = []
        var query = ListQuery(kind: kind, cell: cell, limit: 1000)
        while true {
            let page = try await list(query)
            found += page.documents
            guard page.more, let last = page.documents.last?.metadata else { return found }
            query.after = .init(project: last.project ?? "", name: last.name)
        }
    }

    /// Specs of every document of a kind that has no project, by name.
    package func specs<Spec: DocumentSpec>(_ type: Spec.Type, cell: String? = nil) async throws
        -> [String: Spec]
    {
        var found: [String: Spec] = [:]
        for resource in try await all(type.kind, cell: cell) {
            found[resource.metadata.name] = try JSONDecoder().decode(type, from: Data(resource.spec.utf8))
        }
        return found
    }
}
