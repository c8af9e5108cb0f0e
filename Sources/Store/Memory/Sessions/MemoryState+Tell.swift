import AgentProtocol
import Fleet

extension MemoryState {
    /// Brings the status of a host's document to what its row says.
    mutating func tell(_ id: ID<Document>) throws {
        guard let row = hosts[id], var resource = documents[id] else { return }
        var status = status(of: resource, row: row)
        status.contact = row.record.contact
        status.session = row.record.session?.description
        status.conditions.set(row.record.contact.condition(at: now))
        status.setHeld(row.held, at: now)
        let text = try DocumentJSON.encode(status)
        guard try JSONContent(text) != JSONContent(resource.status) else { return }
        resource.status = text
        try record(.updated, of: &resource)
        documents.put(resource)
    }

    /// Says in a cell's conditions whether the breaker holds the fencing of any of its zones.
    mutating func tellHealing(of cell: String) throws {
        guard var resource = documents[DocumentName(.cell, cell)] else { return }
        let zones = trippedDomains.filter { $0.key.cell == cell }.sorted { $0.key < $1.key }.map {
            "zone \"\($0.key.zone)\" lost \($0.value.lost) of \($0.value.hosts) hosts within a minute"
        }
        let message = "fencing is held: " + zones.joined(separator: "; ")
        var status = try DocumentJSON.decode(CellStatus.self, from: resource.status)
        var conditions = status.conditions ?? []
        conditions.set(
            Condition(
                type: .healing, status: zones.isEmpty ? .yes : .no,
                reason: zones.isEmpty ? .breakerCleared : .breakerTripped,
                message: zones.isEmpty ? "lost hosts are fenced when their time is over" : message,
                lastTransitionTime: now))
        status.conditions = conditions
        resource.status = try DocumentJSON.encode(status)
        try record(.updated, of: &resource)
        documents.put(resource)
    }
}

extension HostStatus {
    /// The condition that says what holds the fencing of the host; it appears with the first hold.
    mutating func setHeld(_ held: String?, at now: Timestamp) {
        guard held != nil || conditions.contains(where: { $0.type == .held }) else { return }
        conditions.set(
            Condition(
                type: .held, status: held == nil ? .no : .yes,
                reason: held == nil ? .hostReturned : .inventoryShrank,
                message: held ?? "nothing holds the fencing of the host", lastTransitionTime: now))
    }
}
