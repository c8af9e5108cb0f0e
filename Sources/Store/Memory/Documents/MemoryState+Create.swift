import Fleet

extension MemoryState {
    mutating func create(_ drafts: [DocumentDraft], context: WriteContext) throws -> [Resource] {
        for draft in drafts { try draft.checkTypes() }
        var pending: Set<DocumentName> = []
        var pendingUIDs: Set<ID<Document>> = []
        for draft in drafts {
            let name = DocumentName(draft.kind, project: draft.project, draft.name)
            let spec = try JSONContent(draft.spec)
            _ = try JSONContent(draft.status)
            guard documents[name] == nil, documents[draft.uid] == nil,
                pendingUIDs.insert(draft.uid).inserted, pending.insert(name).inserted
            else { throw StoreError.alreadyExists(kind: draft.kind, name: draft.name) }
            try checkReferences(of: draft.kind, project: draft.project, spec: spec, pending: pending)
        }
        return try drafts.map { try insert($0, context: context) }
    }

    mutating func create(
        _ draft: DocumentDraft, key: IdempotencyKey, context: WriteContext
    ) throws -> (resource: Resource, replayed: Bool) {
        let request = RequestKey(actor: context.actor, key: key.key)
        if let earlier = requests[request] {
            guard earlier.requestHash == key.requestHash, case .created(let answer) = earlier.outcome else {
                throw StoreError.idempotencyKeyReused(key.key)
            }
            return (answer, true)
        }
        guard let resource = try create([draft], context: context).first else {
            throw StoreError.corrupt("a draft made no document")
        }
        requests[request] = RequestRow(requestHash: key.requestHash, outcome: .created(resource), at: now)
        return (resource, false)
    }

    /// - Throws: `referenceMissing` for the first name that is neither stored nor pending. A document that is
    ///   being deleted is as good as gone.
    func checkReferences(
        of kind: Kind, project: String?, spec: JSONContent, pending: Set<DocumentName> = []
    ) throws {
        for reference in DocumentReference.all(in: spec, kind: kind, project: project) {
            let target = DocumentName(reference.kind, reference.name)
            if !isKept(target), !pending.contains(target) {
                throw StoreError.referenceMissing(
                    field: reference.field, kind: reference.kind, name: reference.name)
            }
        }
    }

    /// Whether a document is there and stays.
    func isKept(_ name: DocumentName) -> Bool {
        documents[name].map { $0.metadata.deletionTimestamp == nil } ?? false
    }

    /// Writes one draft that was checked.
    @discardableResult
    mutating func insert(_ draft: DocumentDraft, context: WriteContext) throws -> Resource {
        var resource = Resource(
            kind: draft.kind,
            metadata: Metadata(
                name: draft.name, uid: draft.uid, project: draft.project, labels: draft.labels,
                annotations: draft.annotations, createdAt: now, finalizers: draft.finalizers),
            spec: draft.spec, status: draft.status)
        try record(.created, of: &resource)
        documents.put(resource)
        switch draft.kind {
        case .host: try insertHostRow(for: resource)
        case .project: limits[draft.name] = try quota(in: draft.spec)
        default: break
        }
        append(.about(resource, .created, "created by \(context.actor)", source: context.actor))
        writeAudit(context, kind: draft.kind, project: draft.project, name: draft.name)
        return resource
    }

    func quota(in spec: String) throws -> Quota {
        try DocumentJSON.decode(ProjectSpec.self, from: spec).quota ?? Quota()
    }
}
