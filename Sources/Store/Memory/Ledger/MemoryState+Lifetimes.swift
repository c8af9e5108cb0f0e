import Fleet

/// What is known of a host's lifetimes.
struct HostLifetimeRow {
    var cell: String
    var kept: String?
    var arrivals: [LifetimeRecord.Arrival] = []
}

extension MemoryState {
    mutating func writeLifetimes(_ note: LifetimeNote, lease: CellLease) throws {
        try checkLease(lease)
        for text in note.texts { _ = try JSONContent(text) }
        put(note, cell: lease.cell)
    }

    /// The notes that a plan was made on, and what it predicts of the VMs that were placed.
    mutating func rememberLifetimes(of commit: LedgerCommit) {
        let cell = commit.lease.cell
        if let note = commit.lifetimes { put(note, cell: cell) }
        for (id, lifetime) in commit.plan.predictions {
            guard let made = allocations[id], made.plan == commit.plan.id else { continue }
            var row = hostLifetimes[made.host] ?? HostLifetimeRow(cell: cell)
            row.cell = cell
            row.arrivals.append(.init(allocation: made.id, lifetime: lifetime))
            hostLifetimes[made.host] = row
        }
    }

    private mutating func put(_ note: LifetimeNote, cell: String) {
        cellLifetimes[cell] = note.cell
        for (host, text) in note.hosts where hosts[host] != nil {
            hostLifetimes[host] = HostLifetimeRow(cell: cell, kept: text)
        }
    }

    func lifetimes(cell: String) -> LifetimeRecord {
        LifetimeRecord(
            cell: cellLifetimes[cell],
            hosts: hostLifetimes.filter { $0.value.cell == cell }.sorted { $0.key < $1.key }.map {
                .init(host: $0.key, kept: $0.value.kept, arrivals: $0.value.arrivals)
            })
    }
}

extension LifetimeNote {
    var texts: [String] { [cell] + hosts.values }
}
