public import Fleet

extension MemoryStore {
    public func versions(of kind: Kind, project: String?, name: String, before: Int?, limit: Int) async throws
        -> [DocumentVersion]
    {
        try read {
            try $0.versions(of: kind, project: project, name: name, before: before, limit: limit)
        }
    }

    public func version(_ number: Int, of kind: Kind, project: String?, name: String) async throws
        -> DocumentVersion?
    {
        try read { try $0.version(number, of: kind, project: project, name: name) }
    }
}
