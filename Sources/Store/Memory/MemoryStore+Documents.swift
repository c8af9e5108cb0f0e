public import Fleet

extension MemoryStore {
    public func create(_ drafts: [DocumentDraft], context: WriteContext) async throws -> [Resource] {
        try write { try $0.create(drafts, context: context) }
    }

    public func create(
        _ draft: DocumentDraft, key: IdempotencyKey, context: WriteContext
    ) async throws -> (resource: Resource, replayed: Bool) {
        try write { try $0.create(draft, key: key, context: context) }
    }

    public func document(_ kind: Kind, project: String?, name: String) async throws -> Resource? {
        read { $0.documents[DocumentName(kind, project: project, name)] }
    }

    public func documents(_ kind: Kind, uids: [ID<Document>]) async throws -> [Resource] {
        read { $0.documents(kind, uids: uids) }
    }

    public func list(_ query: ListQuery) async throws -> DocumentPage {
        try read { try $0.list(query) }
    }

    public func update(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext,
        change: @Sendable (inout Resource) throws -> Void
    ) async throws -> Resource {
        try write {
            try $0.update(
                kind, project: project, name: name, precondition: precondition, context: context,
                change: change)
        }
    }

    public func delete(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext
    ) async throws -> (resource: Resource, removed: Bool) {
        try write {
            try $0.delete(kind, project: project, name: name, precondition: precondition, context: context)
        }
    }
}
