import AgentProtocol
import Fleet

extension MemoryState {
    /// One step per host and judgement. A host that no session ever held is not judged.
    mutating func judgeHosts(
        cell lease: CellLease, terms: LeaseTerms, breaker: Double
    ) throws -> HostJudgement {
        try checkLease(lease)
        noteControllerPulse()
        let rows = hosts.values.filter { $0.record.cell == lease.cell }
            .sorted { $0.record.id < $1.record.id }
        let tripped = tripBreakers(rows, cell: lease.cell, terms: terms, breaker: breaker)
        let isQuarantine = cluster.quarantineUntil.map { now < $0 } ?? false
        var judgement = HostJudgement(suspected: [], fenced: [], returned: [], tripped: tripped)
        for row in rows {
            let id = row.record.id
            let isHeld = tripped.contains(row.record.domain.zone)
            guard let next = nextContact(of: row, terms: terms) else { continue }
            switch next {
            case .ready: judgement.returned.append(id)
            case .suspect where !isHeld: judgement.suspected.append(id)
            case .fenced where !isHeld && !isQuarantine: judgement.fenced.append(id)
            case .suspect, .fenced: continue
            }
            try move(row, to: next)
        }
        return judgement
    }

    /// Where a host's contact goes by its lease alone; nil when it stays.
    private func nextContact(of row: HostRow, terms: LeaseTerms) -> HostContact? {
        guard let renewedAt = row.renewedAt else { return nil }
        // An extension spares the silent, it does not bring them back: only a renewal does.
        let silence = now.since(max(renewedAt, pulse.leaseFloor ?? renewedAt)).inSeconds
        switch row.record.contact {
        case .ready: return silence > terms.leaseSeconds ? .suspect : nil
        case .suspect where now.since(renewedAt).inSeconds <= terms.leaseSeconds: return .ready
        case .suspect: return silence > terms.fencedAfterSeconds ? .fenced : nil
        case .fenced: return now.since(renewedAt).inSeconds <= terms.leaseSeconds ? .ready : nil
        }
    }

    /// Zones of the cell in which too many hosts were lost at once, sorted. An event marks each beginning.
    private mutating func tripBreakers(
        _ rows: [HostRow], cell: String, terms: LeaseTerms, breaker: Double
    ) -> [String] {
        var tripped: [String] = []
        for (zone, members) in Dictionary(grouping: rows, by: \.record.domain.zone).sorted(by: {
            $0.key < $1.key
        }) {
            let lost = members.filter { row in
                let recent = row.suspectedAt.map { now.since($0) <= HostBreaker.window } ?? false
                return recent
                    || (row.record.contact == .ready && nextContact(of: row, terms: terms) == .suspect)
            }
            let key = DomainKey(cell: cell, zone: zone)
            guard HostBreaker.trips(lost: lost.count, of: members.count, fraction: breaker) else {
                trippedDomains.remove(key)
                continue
            }
            tripped.append(zone)
            if trippedDomains.insert(key).inserted {
                let message =
                    "\(lost.count) of \(members.count) hosts of zone \"\(zone)\" lost within a minute"
                append(aboutCell(cell, .breakerTripped, message, source: EventSource.hosts))
            }
        }
        return tripped
    }

    /// Moves a host's contact in its row and its document, with an event.
    private mutating func move(_ known: HostRow, to contact: HostContact) throws {
        var row = known
        if contact == .suspect { row.suspectedAt = now }
        row.record.contact = contact
        row.record.generation += 1
        hosts[row.record.id] = row
        append(.contact(contact, of: row.record))
        guard var resource = documents[row.record.id] else { return }
        var status = status(of: resource, row: row)
        status.contact = contact
        status.conditions.set(contact.condition(at: now))
        resource.status = try DocumentJSON.encode(status)
        try record(.updated, of: &resource)
        documents.put(resource)
    }
}
