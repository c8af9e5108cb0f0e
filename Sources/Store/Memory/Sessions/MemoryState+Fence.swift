import Fleet

extension MemoryState {
    /// A host that is neither fenced nor confirmed to be off keeps everything, and nothing is written.
    /// - Throws: `leaseLost`; `notFound` when the host is not in the lease's cell.
    mutating func releaseFenced(
        host id: ID<Document>, everything: Bool, lease: CellLease, context: WriteContext
    ) throws -> [ID<Allocation>] {
        try checkLease(lease)
        guard let host = hosts[id]?.record, host.cell == lease.cell else {
            throw StoreError.notFound(kind: .host, name: id.description)
        }
        if everything, host.contact != .ready {
            hosts[id]?.isLossConfirmed = true
            hosts[id]?.held = nil
            if host.contact == .suspect { try move(id, to: .fenced) } else { try tell(id) }
        }
        guard everything || host.contact == .fenced else { return [] }
        let ended = allocations.matching(.hosts([id])).filter { everything || $0.onPartition == .stop }
        guard !ended.isEmpty else { return [] }
        for allocation in ended {
            release(allocation, source: context.actor)
            append(
                .about(
                    allocation.workload, .hostFenced, "\(host.name) is fenced", source: context.actor))
        }
        raiseAssignments(of: [id])
        writeAudit(context, kind: .host, name: host.name)
        return ended.map(\.id)
    }
}
