import AgentProtocol
import Fleet

extension MemoryState {
    /// Binds a host to a session and renews its lease; makes the document of an unknown one.
    mutating func bind(
        _ hello: HostHello, newID: ID<Document>, session: SessionRecord
    ) throws -> ID<Document> {
        guard let resource = documents[DocumentName(.host, hello.name)],
            let row = hosts[resource.metadata.uid]
        else { return try join(hello, newID: newID, session: session) }
        try refresh(resource, row: row, hello: hello, session: session)
        return resource.metadata.uid
    }

    private mutating func join(
        _ hello: HostHello, newID: ID<Document>, session: SessionRecord
    ) throws -> ID<Document> {
        let source = EventSource.agent(session.id)
        var status = HostStatus(inventory: hello.inventory, contact: .ready, session: session.id.description)
        status.conditions.set(HostContact.ready.condition(at: now))
        let draft = DocumentDraft(
            uid: newID, kind: .host, name: hello.name,
            spec: try DocumentJSON.encode(HostSpec(cell: session.cell, pool: session.pool)),
            status: try DocumentJSON.encode(status))
        let resource = try insert(draft, context: WriteContext(actor: source, verb: "hello"))
        let joinedAt = now
        hosts[newID]?.record.session = session.id
        hosts[newID]?.renewedAt = joinedAt
        append(.about(resource, .hostJoined, "joined with session \(session.name)", source: source))
        return newID
    }

    /// The ledger's generation moves only with inventory and contact.
    private mutating func refresh(
        _ known: Resource, row: HostRow, hello: HostHello, session: SessionRecord
    ) throws {
        var (resource, row) = (known, row)
        var status = status(of: resource, row: row)
        let inventoryChanged = status.inventory != hello.inventory
        let returned = row.record.contact != .ready
        if let holder = row.record.session, holder != session.id {
            hostsOfSession[holder]?.remove(row.record.id)
        }
        if inventoryChanged { installDevices(of: hello.inventory, in: row.record, session: session) }
        row.install(hello.inventory, labels: resource.metadata.labels)
        row.record.session = session.id
        row.record.contact = .ready
        row.renewedAt = now
        row.held = nil
        row.isLossConfirmed = false
        if inventoryChanged || returned { row.record.generation += 1 }
        hosts[row.record.id] = row
        status.inventory = hello.inventory
        status.session = session.id.description
        status.contact = .ready
        status.conditions.set(HostContact.ready.condition(at: now))
        status.setHeld(nil, at: now)
        let text = try DocumentJSON.encode(status)
        if try JSONContent(text) != JSONContent(resource.status) {
            resource.status = text
            try record(.updated, of: &resource)
            documents.put(resource)
        }
        if returned {
            append(
                .aboutHost(
                    row.record, .hostReturned, HostContact.ready.sentence,
                    source: EventSource.agent(session.id)))
        }
    }

    /// Devices that an allocation holds stay with their host when the agent no longer finds them: absence
    /// takes nothing away.
    private mutating func installDevices(
        of inventory: HostInventory, in host: HostRecord, session: SessionRecord
    ) {
        let found = Set(inventory.devices.map(\.uuid))
        let missing = hostOfDevice.filter { $0.value == host.id && !found.contains($0.key) }.map(\.key)
        let kept = missing.filter { allocations.holdsDevice(of: [$0]) }
        for uuid in Set(missing).subtracting(kept) { hostOfDevice[uuid] = nil }
        for uuid in found { hostOfDevice[uuid] = host.id }
        guard !kept.isEmpty else { return }
        let message = "\(kept.count) devices that allocations hold are not found any more"
        append(.aboutHost(host, .devicesMissing, message, source: EventSource.agent(session.id)))
    }
}

extension HostRow {
    /// Takes over what an agent found. What is allocated stays allocated, even past the new limits.
    mutating func install(_ inventory: HostInventory, labels: [String: String]) {
        record.room.total = inventory.capacity
        record.room.reserved = inventory.reserved
        record.devices = inventory.devices
        record.domain = inventory.domain
        record.substrate = inventory.substrate
        inventoryLabels = inventory.labels
        relabel(labels)
    }
}
