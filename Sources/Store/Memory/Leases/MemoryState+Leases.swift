import Fleet

extension MemoryState {
    /// - Throws: `leaseLost` when the token is not in force.
    func checkLease(_ lease: CellLease) throws {
        guard let row = leases[lease.cell], row.token == lease.token, row.isInForce(at: now) else {
            throw StoreError.leaseLost(cell: lease.cell)
        }
    }

    /// The token rises with every acquisition, the same holder's included.
    mutating func acquireLease(cell: String, holder: String, duration: Duration) -> CellLease? {
        let earlier = leases[cell]
        if let earlier, earlier.isInForce(at: now), earlier.holder != holder { return nil }
        let token = (earlier?.token ?? 0) + 1
        leases[cell] = LeaseRow(token: token, holder: holder, expiresAt: now.advanced(by: duration))
        noteControllerPulse()
        return CellLease(cell: cell, token: token)
    }

    mutating func renewLease(_ lease: CellLease, duration: Duration) -> Bool {
        guard var row = leases[lease.cell], row.token == lease.token, row.isInForce(at: now) else {
            return false
        }
        row.expiresAt = now.advanced(by: duration)
        leases[lease.cell] = row
        noteControllerPulse()
        return true
    }

    mutating func releaseLease(_ lease: CellLease) {
        if leases[lease.cell]?.token == lease.token { leases[lease.cell]?.expiresAt = nil }
    }

    /// Leases that were not given back, those that ran out included, by cell.
    func leaseRecords() -> [CellLeaseRecord] {
        leases.sorted { $0.key < $1.key }.compactMap { cell, row in
            row.expiresAt.map {
                CellLeaseRecord(
                    lease: CellLease(cell: cell, token: row.token), holder: row.holder, expiresAt: $0)
            }
        }
    }

    /// A sign of life of any controller: it takes or renews a lease or judges hosts, as every live one does
    /// again and again.
    ///
    /// The gap is found here and not in the judgement, which always follows such a sign of its own holder.
    /// Every cell that ever had a lease is told, for the leases of all hosts are lengthened.
    mutating func noteControllerPulse() {
        guard now.since(pulse.last).inSeconds >= pulse.resolution else { return }
        if now.since(pulse.last).inSeconds > pulse.gap {
            pulse.leaseFloor = now
            let message = "no controller could commit since \(pulse.last); host leases count from now"
            for cell in leases.keys.sorted() { append(aboutCell(cell, .leaseExtended, message)) }
        }
        pulse.last = now
    }

    /// Leases, tokens and cursors of the older epoch mean nothing any more; every host is suspect until its
    /// session says what runs there.
    mutating func raiseEpoch(quarantine: Duration) throws -> Int {
        cluster.epoch += 1
        cluster.quarantineUntil = now.advanced(by: quarantine)
        raisedAt = now
        for (cell, row) in leases {
            // Above every token that a lost time may have given out.
            let token = max(row.token + 1, cluster.epoch << 32)
            leases[cell] = LeaseRow(token: token, holder: row.holder, expiresAt: nil)
        }
        quarantinedCells.formUnion(hosts.values.map(\.record.cell))
        append(
            aboutCell("cluster", .epochRaised, "the epoch is \(cluster.epoch)", source: EventSource.operators)
        )
        for id in hosts.keys.sorted() {
            guard var row = hosts[id], row.record.contact == .ready, row.record.session != nil else {
                continue
            }
            row.record.contact = .suspect
            row.record.generation += 1
            row.suspectedAt = nil
            hosts[id] = row
            try tell(id)
            let message = "has yet to say what it runs in the new epoch"
            append(.aboutHost(row.record, .hostSuspect, message, source: EventSource.hosts))
        }
        return cluster.epoch
    }

    /// An event about a cell; one without a document has the all-zero uid.
    func aboutCell(_ cell: String, _ reason: Reason, _ message: String, source: String = EventSource.control)
        -> EventDraft
    {
        EventDraft(
            kind: .cell, project: nil, name: cell,
            uid: documents[DocumentName(.cell, cell)]?.metadata.uid ?? .zero, reason: reason,
            message: message, source: source)
    }
}
