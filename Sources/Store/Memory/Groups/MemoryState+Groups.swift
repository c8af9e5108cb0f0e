import Fleet

extension MemoryState {
    func members(of groups: [ID<Document>]) throws -> [Resource] {
        guard !groups.isEmpty else { return [] }
        let wanted = Set(groups.map(\.description))
        return try documents.ordered(.vm).filter { vm in
            try readings.reading(of: vm).group.map(wanted.contains) ?? false
        }
    }

    mutating func changeMembers(
        _ change: MemberChange, lease: CellLease, context: WriteContext
    ) throws -> Bool {
        try checkLease(lease)
        guard let group = documents[change.group], group.kind == .vmGroup,
            group.metadata.generation == change.generation,
            change.made.isEmpty || group.metadata.deletionTimestamp == nil
        else { return false }
        _ = try create(change.made, context: context)
        for uid in Set(change.gone).sorted() {
            guard let vm = documents[uid], vm.kind == .vm,
                try readings.reading(of: vm).group == change.group.description
            else { continue }
            _ = try delete(
                .vm, project: vm.metadata.project, name: vm.metadata.name, precondition: .none,
                context: context)
        }
        for event in change.events { append(event) }
        return true
    }

    mutating func finalizeGroups(_ groups: [ID<Document>], lease: CellLease) throws -> [ID<Document>] {
        try checkLease(lease)
        var gone: [ID<Document>] = []
        for uid in Set(groups).sorted() {
            guard let group = documents[uid], group.kind == .vmGroup,
                group.metadata.deletionTimestamp != nil, try members(of: [uid]).isEmpty
            else { continue }
            try remove(group, message: "every member is gone", source: "controller")
            gone.append(uid)
        }
        return gone
    }
}
