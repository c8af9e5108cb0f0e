import Fleet

extension MemoryState {
    /// Keeps the spec of a document that was just written; one that is kept already stays as it is.
    mutating func noteVersion(of name: DocumentName, _ context: WriteContext) {
        guard let resource = documents[name] else { return }
        let number = resource.metadata.generation
        guard versions[resource.metadata.uid]?.last.map({ $0.version < number }) ?? true else { return }
        versions[resource.metadata.uid, default: []].append(
            DocumentVersion(
                version: number, at: now, actor: context.actor, requestID: context.requestID,
                verb: context.verb, spec: resource.spec))
    }

    func versions(of kind: Kind, project: String?, name: String, before: Int?, limit: Int) throws
        -> [DocumentVersion]
    {
        let resource = try find(kind, project: project, name: name, precondition: .none)
        let kept = versions[resource.metadata.uid] ?? []
        return Array(kept.reversed().lazy.filter { $0.version < before ?? .max }.prefix(max(0, limit)))
    }

    func version(_ number: Int, of kind: Kind, project: String?, name: String) throws -> DocumentVersion? {
        let resource = try find(kind, project: project, name: name, precondition: .none)
        return versions[resource.metadata.uid]?.first { $0.version == number }
    }
}
