import AgentProtocol
import Fleet

extension MemoryState {
    func breakers() -> [TrippedBreaker] {
        trippedDomains.sorted { $0.key < $1.key }.map(\.value)
    }

    /// - Throws: `notFound` when nothing is held in the zone.
    mutating func resetBreaker(cell: String, zone: String, context: WriteContext) throws -> Int {
        let silent = hosts.values.filter {
            $0.record.cell == cell && $0.record.domain.zone == zone && $0.record.contact != .ready
                && !$0.isLossConfirmed
        }.map(\.record.id).sorted()
        let key = DomainKey(cell: cell, zone: zone)
        guard trippedDomains[key] != nil || silent.contains(where: { hosts[$0]?.held != nil }) else {
            throw StoreError.notFound(kind: .cell, name: "\(cell)/\(zone)")
        }
        for id in silent {
            hosts[id]?.isLossConfirmed = true
            hosts[id]?.suspectedAt = nil
            hosts[id]?.held = nil
            try tell(id)
        }
        if trippedDomains.removeValue(forKey: key) != nil { try tellHealing(of: cell) }
        let message = "\(silent.count) silent hosts of zone \"\(zone)\" are confirmed lost"
        append(aboutCell(cell, .breakerReset, message, source: context.actor))
        writeAudit(context, kind: .cell, name: cell)
        return silent.count
    }

    /// Ends the time after a restore in which a cell's agents were told of new allocations alone.
    mutating func endQuarantine(of cell: String) {
        guard quarantinedCells.remove(cell) != nil, let raisedAt else { return }
        let listed = allocations.matching(.cell(cell)).filter {
            !$0.quarantined && $0.state != .releasing && $0.createdAt < raisedAt
        }
        raiseAssignments(of: Set(listed.map(\.host)))
        for allocation in listed { record(.updated, of: allocation) }
        let message = "agents are told again of what was there before the epoch"
        append(aboutCell(cell, .quarantineEnded, message, source: EventSource.hosts))
    }
}
