import Fleet

extension MemoryState {
    /// - Throws: `leaseLost`; `notFound` when the host is not in the lease's cell; `preconditionFailed` when
    ///   it
    ///   is not fenced and no operator confirmed that it is off.
    mutating func releaseFenced(
        host id: ID<Document>, everything: Bool, lease: CellLease, context: WriteContext
    ) throws -> [ID<Allocation>] {
        try checkLease(lease)
        guard let host = hosts[id]?.record, host.cell == lease.cell, let resource = documents[id] else {
            throw StoreError.notFound(kind: .host, name: id.description)
        }
        guard everything || host.contact == .fenced else {
            throw StoreError.preconditionFailed(current: resource.metadata.entityTag)
        }
        let ended = allocations.matching(.hosts([id])).filter { everything || $0.onPartition == .stop }
        for allocation in ended {
            release(allocation)
            append(
                .about(
                    allocation.workload, .hostFenced, "\(host.name) is fenced", source: context.actor))
        }
        if !ended.isEmpty { raiseAssignments(of: [id]) }
        append(
            .aboutHost(host, .hostFenced, "\(ended.count) allocations released", source: context.actor))
        writeAudit(context, kind: .host, name: host.name)
        return ended.map(\.id)
    }
}
