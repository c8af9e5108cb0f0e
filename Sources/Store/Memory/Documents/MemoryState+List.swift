import Fleet

extension MemoryState {
    func documents(_ kind: Kind, uids: [ID<Document>]) -> [Resource] {
        Set(uids).sorted().compactMap { documents[$0] }.filter { $0.kind == kind }
    }

    func list(_ query: ListQuery) throws -> DocumentPage {
        let after = query.after.map { DocumentName(query.kind, project: $0.project, $0.name) }
        var page: [Resource] = []
        var more = false
        for resource in documents.ordered(query.kind, after: after) where try matches(resource, query) {
            guard page.count < query.limit else {
                more = true
                break
            }
            page.append(resource)
        }
        return DocumentPage(documents: page, more: more, position: feed.position(epoch: cluster.epoch))
    }

    private func matches(_ resource: Resource, _ query: ListQuery) throws -> Bool {
        let metadata = resource.metadata
        if let project = query.project, project != metadata.project { return false }
        if let name = query.name, name != metadata.name { return false }
        if let projects = query.projects {
            let project = resource.kind == .project ? metadata.name : metadata.project ?? ""
            if !projects.contains(project) { return false }
        }
        if query.labels.contains(where: { metadata.labels[$0.key] != $0.value }) { return false }
        if !query.fields.isEmpty {
            let fields = try resource.selectedFields()
            if query.fields.contains(where: { fields[$0.key] != $0.value }) { return false }
        }
        guard let cell = query.cell else { return true }
        return try self.cell(of: resource) == cell
    }
}
