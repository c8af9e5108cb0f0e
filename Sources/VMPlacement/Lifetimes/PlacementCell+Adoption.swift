public import Fleet

extension PlacementCell {
    /// Goes on with lifetimes that were made ready on a copy of this cell, with what happened here since the
    /// copy was made. What it takes grows with what happened, and only little with what the cell holds.
    ///
    /// - Parameters:
    ///   - ready: the copy, on which lifetimes are tracked.
    ///   - moved: all allocations that came, went or changed host here since; what their predictions go by
    ///     is set already.
    ///   - departures: of those that went; those that are missing moved.
    public mutating func adoptLifetimes(
        of ready: PlacementCell, moved: Set<ID<Allocation>>,
        departures: [ID<Allocation>: LifetimeMemory.Departure]
    ) {
        guard let table = ready.lifetimes else { return }
        for (id, taken) in ready.held where !moved.contains(id) { held[id]?.lifetime = taken.lifetime }
        let isSame = ready.hosts.keys == hosts.keys
        lifetimes = isSame ? table : table.rearranged(from: ready.hosts, to: hosts)
        let latest = Timestamp(microseconds: table.now)
        var events: [LifetimeEvent] = []
        for id in moved.sorted() {
            let left = ready.held[id].flatMap { hosts.slot(of: $0.host) }
            if let left, held[id]?.host != hosts.keys[left] {
                let departure = departures[id] ?? .init(at: latest, hasEnded: false)
                events.append(LifetimeEvent(at: departure.at, id: id, slot: left, what: .gone(departure)))
            }
            guard let taken = held[id], let slot = hosts.slot(of: taken.host), left != slot else { continue }
            events.append(
                LifetimeEvent(at: taken.lifetime.startedAt, id: id, slot: slot, what: .came(taken.lifetime)))
        }
        takePlace(events)
        guard !isSame else { return }
        for slot in 0..<hosts.count where ready.hosts.slot(of: hosts.keys[slot]) == nil {
            rebuildLifetimes(at: slot)
        }
    }
}
