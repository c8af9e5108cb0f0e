internal import Fleet
internal import Store

/// Which groups are to be looked at, and when: fed with the change feed, it holds no documents.
struct DueGroups {
    /// Groups to look at, with the time before which that is in vain.
    private var due: [ID<Document>: Timestamp?] = [:]
    /// Groups by member, as read last.
    private var groups: [ID<Document>: ID<Document>] = [:]

    init(_ groups: [ID<Document>]) {
        for uid in groups { due[uid] = .some(nil) }
    }

    /// A member is known since its group was looked at; before, the group is due anyway.
    mutating func note(_ entry: FeedEntry) {
        switch entry.kind {
        case .vmGroup: due[entry.uid] = .some(nil)
        case .vm:
            guard let group = groups[entry.uid] else { return }
            due[group] = .some(nil)
            if entry.change == .deleted { groups[entry.uid] = nil }
        default: break
        }
    }

    mutating func know(_ members: [VMRecord]) {
        for member in members { groups[member.metadata.uid] = member.spec.group?.uid }
    }

    mutating func again(_ group: ID<Document>, after time: Timestamp? = nil) { due[group] = .some(time) }

    /// Takes groups whose time has come, at most `limit`, in order of ids.
    mutating func take(now: Timestamp, limit: Int) -> [ID<Document>] {
        let ready = due.filter { $0.value.map { $0 <= now } ?? true }.keys.sorted().prefix(limit)
        for uid in ready { due[uid] = nil }
        return Array(ready)
    }

    /// Time until the next group is due, at most `longest`.
    func rest(now: Timestamp, longest: Duration) -> Duration {
        let next = due.values.compactMap { $0 }.min()
        return next.map { min(max($0.since(now), .milliseconds(10)), longest) } ?? longest
    }
}
