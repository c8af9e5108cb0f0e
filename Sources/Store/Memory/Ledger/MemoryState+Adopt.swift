import Fleet

extension MemoryState {
    /// - Throws: `notFound`, `inUse`, what `create` throws.
    mutating func adopt(_ id: ID<Allocation>, draft: DocumentDraft?, context: WriteContext) throws
        -> Allocation
    {
        guard let found = allocations[id], found.state.consumesCapacity else {
            throw StoreError.notFound(kind: .allocation, name: id.description)
        }
        guard found.quarantined else { return found }
        let workload = found.workload
        let writer = allocations.live(ofWorkload: workload.uid).compactMap { allocations[$0] }.first {
            !$0.quarantined && $0.workload.part == workload.part
        }
        if let writer {
            throw StoreError.inUse(
                kind: .allocation, name: id.description, by: "allocation \(writer.id)")
        }
        if documents[workload.uid] == nil {
            guard let draft else { throw StoreError.notFound(kind: workload.kind, name: workload.name) }
            _ = try create([draft], context: context)
        }
        var adopted = found
        adopted.quarantined = false
        allocations.put(adopted)
        raiseAssignments(of: [adopted.host])
        record(.updated, of: adopted)
        let host = hosts[adopted.host]?.record.name ?? ""
        append(.about(workload, .adopted, "what runs on \(host) is taken over", source: context.actor))
        writeAudit(context, kind: .allocation, project: workload.project, name: id.description)
        return adopted
    }

    /// - Throws: `notFound`; `inUse` for an allocation that its workload needs.
    mutating func stop(_ id: ID<Allocation>, context: WriteContext) throws -> Allocation {
        guard let found = allocations[id], found.state.consumesCapacity else {
            throw StoreError.notFound(kind: .allocation, name: id.description)
        }
        guard found.state != .releasing else { return found }
        guard found.quarantined || hasQuarantinedCopy(found) else {
            throw StoreError.inUse(
                kind: .allocation, name: id.description,
                by: "\(found.workload.kind.rawValue) \(found.workload.name)")
        }
        var releasing = found
        releasing.state = .releasing
        allocations.put(releasing)
        raiseAssignments(of: [releasing.host])
        record(.updated, of: releasing)
        append(.about(found.workload, .stopping, "its end was asked for", source: context.actor))
        writeAudit(context, kind: .allocation, project: found.workload.project, name: id.description)
        return releasing
    }
}
