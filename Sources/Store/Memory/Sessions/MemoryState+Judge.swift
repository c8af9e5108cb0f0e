import AgentProtocol
import Fleet

extension MemoryState {
    /// One step per host and judgement. A host that no session ever held is not judged.
    mutating func judgeHosts(
        cell lease: CellLease, terms: LeaseTerms, breaker: Double
    ) throws -> HostJudgement {
        try checkLease(lease)
        pulse.gap = terms.outageSeconds
        noteControllerPulse()
        let isQuarantine = cluster.quarantineUntil.map { now < $0 } ?? false
        if !isQuarantine { endQuarantine(of: lease.cell) }
        if isWell(lease.cell, terms: terms) {
            return HostJudgement(suspected: [], fenced: [], returned: [], tripped: [])
        }
        let rows = hosts.values.filter { $0.record.cell == lease.cell }
            .sorted { $0.record.id < $1.record.id }
        let tripped = try tripBreakers(rows, cell: lease.cell, terms: terms, breaker: breaker)
        var judgement = HostJudgement(suspected: [], fenced: [], returned: [], tripped: tripped)
        for row in rows {
            let id = row.record.id
            let isHeld = tripped.contains(row.record.domain.zone) || row.held != nil
            switch nextContact(of: row, terms: terms) {
            case .ready: judgement.returned.append(id)
            case .suspect: judgement.suspected.append(id)
            case .fenced where !isQuarantine && (row.isLossConfirmed || !isHeld): judgement.fenced.append(id)
            case .fenced, nil: continue
            }
        }
        for (ids, contact) in [
            (judgement.suspected, HostContact.suspect), (judgement.fenced, .fenced),
            (judgement.returned, .ready),
        ] {
            for id in ids { try move(id, to: contact) }
        }
        return judgement
    }

    /// Whether there is nothing to judge, as nearly every time.
    private func isWell(_ cell: String, terms: LeaseTerms) -> Bool {
        !trippedDomains.keys.contains { $0.cell == cell }
            && hosts.values.allSatisfy {
                $0.record.cell != cell
                    || $0.record.contact == .ready && nextContact(of: $0, terms: terms) == nil
            }
    }

    /// Where a host's contact goes by its lease alone; nil when it stays.
    private func nextContact(of row: HostRow, terms: LeaseTerms) -> HostContact? {
        guard let renewedAt = row.renewedAt else { return nil }
        // An extension spares the silent, it does not bring them back: only a renewal does, and it counts in
        // the epoch of the session's hello alone.
        let session = row.record.session.flatMap { sessions[$0]?.record }
        let isRenewed =
            now.since(renewedAt).inSeconds <= terms.leaseSeconds
            && (session == nil || session?.epoch == cluster.epoch)
        let silence = now.since(max(renewedAt, pulse.leaseFloor ?? renewedAt)).inSeconds
        switch row.record.contact {
        case .ready: return silence > terms.leaseSeconds ? .suspect : nil
        case .suspect where isRenewed: return .ready
        case .suspect: return silence > terms.fencedAfterSeconds ? .fenced : nil
        case .fenced: return isRenewed ? .ready : nil
        }
    }

    /// Zones of the cell whose fencing the breaker holds, sorted. One that begins or ends is told.
    private mutating func tripBreakers(
        _ rows: [HostRow], cell: String, terms: LeaseTerms, breaker: Double
    ) throws -> [String] {
        var tripped: [String] = []
        var isMoved = false
        for (zone, members) in Dictionary(grouping: rows, by: \.record.domain.zone).sorted(by: {
            $0.key < $1.key
        }) {
            let key = DomainKey(cell: cell, zone: zone)
            let (lost, isAway) = losses(among: members, terms: terms)
            let isNew = HostBreaker.trips(lost: lost, of: members.count, fraction: breaker)
            guard isNew || (isAway && trippedDomains[key] != nil) else { continue }
            tripped.append(zone)
            guard trippedDomains[key] == nil else { continue }
            isMoved = true
            trippedDomains[key] = TrippedBreaker(
                cell: cell, zone: zone, since: now, lost: lost, hosts: members.count)
            let message = "\(lost) of \(members.count) hosts of zone \"\(zone)\" lost within a minute"
            append(aboutCell(cell, .breakerTripped, message, source: EventSource.hosts))
        }
        for key in trippedDomains.keys.sorted() where key.cell == cell && !tripped.contains(key.zone) {
            isMoved = true
            trippedDomains[key] = nil
            let message = "every lost host of zone \"\(key.zone)\" is back or confirmed"
            append(aboutCell(cell, .breakerCleared, message, source: EventSource.hosts))
        }
        if isMoved { try tellHealing(of: cell) }
        return tripped
    }

    /// Hosts of a zone that were lost within the breaker's window, and whether any lost one is still away.
    private func losses(among members: [HostRow], terms: LeaseTerms) -> (lost: Int, isAway: Bool) {
        var (lost, isAway) = (0, false)
        for row in members where !row.isLossConfirmed {
            let next = nextContact(of: row, terms: terms)
            if next == .suspect { lost += 1 }
            guard row.record.contact != .ready, next != .ready, let suspectedAt = row.suspectedAt else {
                continue
            }
            isAway = true
            if now.since(suspectedAt) <= HostBreaker.window { lost += 1 }
        }
        return (lost, isAway)
    }

    /// Moves a host's contact in its row and its document, with an event.
    mutating func move(_ id: ID<Document>, to contact: HostContact) throws {
        guard var row = hosts[id] else { return }
        if contact == .suspect { row.suspectedAt = now }
        if contact == .ready {
            row.held = nil
            row.isLossConfirmed = false
        }
        row.record.contact = contact
        row.record.generation += 1
        hosts[id] = row
        append(.contact(contact, of: row.record))
        try tell(id)
    }
}
