import Fleet

/// A VM that came to a host or left it while nobody kept its lifetimes.
struct LifetimeEvent {
    enum What {
        case gone(LifetimeMemory.Departure)
        case came(VMLifetime)
    }

    /// On the fleet clock.
    var at: Timestamp
    var id: ID<Allocation>
    var slot: Int
    var what: What
}

extension PlacementCell {
    /// Lets events happen in the order of time.
    mutating func takePlace(_ events: [LifetimeEvent]) {
        for event in events.sorted(by: { ($0.at, $0.id) < ($1.at, $1.id) }) {
            switch event.what {
            case .gone(let departure):
                lifetimes?.remove(
                    event.id, at: event.slot, time: event.at.microseconds, hasEnded: departure.hasEnded)
            case .came(let lifetime):
                lifetimes?.advance(to: event.at.microseconds)
                _ = lifetimes?.add(event.id, lifetime, at: event.slot, room: hosts.rows[event.slot].room)
                lifetimes?.noteMoved(event.slot)
            }
        }
    }
}
