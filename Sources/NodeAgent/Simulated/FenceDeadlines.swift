/// Until when parts with `onPartition: stop` may run, per host.
struct FenceDeadlines: Sendable, Equatable, Codable {
    private(set) var sentAt: MonotonicTime?
    /// Of the last renewal; nil before the first.
    private(set) var session: MonotonicTime?
    /// Hosts that the last renewal left out.
    private(set) var behind: [String: MonotonicTime] = [:]

    /// Nil when the host was never renewed.
    func deadline(of host: String) -> MonotonicTime? { behind[host] ?? session }

    mutating func renew(_ renewal: LeaseRenewal) {
        if let sentAt, renewal.sentAt < sentAt { return }
        var next: [String: MonotonicTime] = [:]
        for host in renewal.except { next[host] = deadline(of: host) ?? renewal.sentAt }
        behind = next
        // Not the later of the two: shorter terms must take effect at once.
        session = renewal.deadline
        sentAt = renewal.sentAt
    }

    /// All times moved, from one boot's clock to another's.
    func shifted(by duration: Duration) -> FenceDeadlines {
        var copy = self
        copy.sentAt = sentAt?.advanced(by: duration)
        copy.session = session?.advanced(by: duration)
        copy.behind = behind.mapValues { $0.advanced(by: duration) }
        return copy
    }
}
