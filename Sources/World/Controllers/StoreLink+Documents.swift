internal import AgentProtocol
internal import Fleet
internal import Store

extension StoreLink: DocumentStore {
    func create(_ drafts: [DocumentDraft], context: WriteContext) async throws -> [Resource] {
        try await write { try await $0.create(drafts, context: context) }
    }

    func create(_ draft: DocumentDraft, key: IdempotencyKey, context: WriteContext) async throws -> (
        resource: Resource, replayed: Bool
    ) {
        try await write { try await $0.create(draft, key: key, context: context) }
    }

    func document(_ kind: Kind, project: String?, name: String) async throws -> Resource? {
        try await read { try await $0.document(kind, project: project, name: name) }
    }

    func documents(_ kind: Kind, uids: [ID<Document>]) async throws -> [Resource] {
        try await read { try await $0.documents(kind, uids: uids) }
    }

    func list(_ query: ListQuery) async throws -> DocumentPage {
        try await read { try await $0.list(query) }
    }

    func update(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext,
        change: @Sendable (inout Resource) throws -> Void
    ) async throws -> Resource {
        try await write {
            try await $0.update(
                kind, project: project, name: name, precondition: precondition, context: context,
                change: change)
        }
    }

    func delete(
        _ kind: Kind, project: String?, name: String, precondition: Precondition, context: WriteContext
    ) async throws -> (resource: Resource, removed: Bool) {
        try await write {
            try await $0.delete(
                kind, project: project, name: name, precondition: precondition, context: context)
        }
    }
}

extension StoreLink: GroupStore {
    func members(of groups: [ID<Document>]) async throws -> [Resource] {
        try await read { try await $0.members(of: groups) }
    }

    func changeMembers(_ change: MemberChange, lease: CellLease, context: WriteContext) async throws -> Bool {
        try await write { try await $0.changeMembers(change, lease: lease, context: context) }
    }

    func finalizeGroups(_ groups: [ID<Document>], lease: CellLease) async throws -> [ID<Document>] {
        try await write { try await $0.finalizeGroups(groups, lease: lease) }
    }
}

extension StoreLink: HistoryStore {
    func versions(of kind: Kind, project: String?, name: String, before: Int?, limit: Int) async throws
        -> [DocumentVersion]
    {
        try await read {
            try await $0.versions(of: kind, project: project, name: name, before: before, limit: limit)
        }
    }

    func version(_ number: Int, of kind: Kind, project: String?, name: String) async throws
        -> DocumentVersion?
    {
        try await read { try await $0.version(number, of: kind, project: project, name: name) }
    }
}

extension StoreLink: ModelStore {
    func createModel(
        _ draft: DocumentDraft, file: String, lease: CellLease?, context: WriteContext, isTrial: Bool
    ) async throws -> Resource {
        try await write {
            try await $0.createModel(draft, file: file, lease: lease, context: context, isTrial: isTrial)
        }
    }

    func modelFile(_ uid: ID<Document>) async throws -> String? {
        try await read { try await $0.modelFile(uid) }
    }

    func changeModels(_ change: ModelChange, lease: CellLease?, context: WriteContext, isTrial: Bool)
        async throws -> Bool
    {
        try await write {
            try await $0.changeModels(change, lease: lease, context: context, isTrial: isTrial)
        }
    }
}

extension StoreLink: VMHistoryStore {
    func vmHistory(_ query: VMHistoryQuery) async throws -> [VMHistoryRecord] {
        try await read { try await $0.vmHistory(query) }
    }
}
