public import Fleet

extension MemoryStore {
    public func createModel(
        _ draft: DocumentDraft, file: String, lease: CellLease?, context: WriteContext, isTrial: Bool
    ) async throws -> Resource {
        try write(isTrial: isTrial) {
            try $0.createModel(draft, file: file, lease: lease, context: context)
        }
    }

    public func modelFile(_ uid: ID<Document>) async throws -> String? { read { $0.modelFiles[uid] } }

    public func changeModels(
        _ change: ModelChange, lease: CellLease?, context: WriteContext, isTrial: Bool
    ) async throws -> Bool {
        try write(isTrial: isTrial) { try $0.changeModels(change, lease: lease, context: context) }
    }

    public func vmHistory(_ query: VMHistoryQuery) async throws -> [VMHistoryRecord] {
        try read { try $0.vmHistory(query) }
    }
}
