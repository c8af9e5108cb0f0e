import Fleet

extension MemoryState {
    mutating func createModel(
        _ draft: DocumentDraft, file: String, lease: CellLease?, context: WriteContext
    ) throws -> Resource {
        if let lease { try checkLease(lease) }
        guard let resource = try create([draft], context: context).first else {
            throw StoreError.corrupt("a draft made no document")
        }
        modelFiles[draft.uid] = file
        return resource
    }

    mutating func changeModels(
        _ change: ModelChange, lease: CellLease?, context: WriteContext
    ) throws -> Bool {
        if let lease { try checkLease(lease) }
        for status in change.statuses.values { _ = try JSONContent(status) }
        for (uid, version) in change.expected {
            guard let model = documents[uid], model.kind == .model,
                model.metadata.deletionTimestamp == nil, model.metadata.resourceVersion == version
            else { return false }
        }
        for model in documents.ordered(.model) where try isPromoted(model) {
            guard change.expected[model.metadata.uid] != nil else { return false }
        }
        for (uid, status) in change.statuses.sorted(by: { $0.key < $1.key }) {
            guard change.expected[uid] != nil, var model = documents[uid] else { continue }
            model.status = status
            try record(.updated, of: &model)
            documents.put(model)
        }
        writeAudit(context, kind: .model, name: change.subject)
        for event in change.events { append(event) }
        return true
    }

    /// Whether pools go by a document, which is a model then.
    func isPromoted(_ resource: Resource) throws -> Bool {
        guard resource.kind == .model else { return false }
        return try JSONContent(resource.status)["state"]?.text == ModelStatus.State.promoted.rawValue
    }
}
