internal import Control
internal import Fleet

/// What hosts looked like, as far back as judging them needs it.
///
/// A host that lost room may hold more than it has for as long as that only shrinks: what it had before is
/// remembered until everything fits again.
struct HostHistory {
    /// Of one host; more limits within one excess are not met.
    private static let limit = 64

    private var seen: [ID<Document>: [HostObservation]] = [:]

    /// Oldest first.
    subscript(host: ID<Document>) -> [HostObservation] { seen[host] ?? [] }

    /// Of hosts as they are now, and as they were before; nothing of those that were not seen before.
    func until(_ now: [HostObservation]) -> [HostObservation] {
        now.flatMap { self[$0.host].isEmpty ? [] : self[$0.host] + [$0] }
    }

    mutating func note(_ observation: HostObservation) {
        let fits = observation.room.memoryHolds && observation.room.cpuHolds
        let before = fits ? [] : self[observation.host].suffix(Self.limit - 1)
        seen[observation.host] = before + [observation]
    }
}
