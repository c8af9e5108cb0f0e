public import Fleet

extension MemoryStore {
    public func members(of groups: [ID<Document>]) async throws -> [Resource] {
        try read { try $0.members(of: groups) }
    }

    public func changeMembers(
        _ change: MemberChange, lease: CellLease, context: WriteContext
    ) async throws -> Bool {
        try write { try $0.changeMembers(change, lease: lease, context: context) }
    }

    public func finalizeGroups(_ groups: [ID<Document>], lease: CellLease) async throws -> [ID<Document>] {
        try write { try $0.finalizeGroups(groups, lease: lease) }
    }
}
