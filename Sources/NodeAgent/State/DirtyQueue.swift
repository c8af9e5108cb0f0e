/// Parts that are to be reported, each once, in the order in which they changed.
struct DirtyQueue: Sendable {
    private var entries = FIFO<(key: PartKey, since: MonotonicTime)>()
    private var members: Set<PartKey> = []

    var count: Int { entries.count }
    /// When the one that waits longest changed.
    var oldest: MonotonicTime? { entries.first?.since }

    func contains(_ key: PartKey) -> Bool { members.contains(key) }

    mutating func insert(_ key: PartKey, at now: MonotonicTime) {
        if members.insert(key).inserted { entries.append((key, now)) }
    }

    mutating func popFirst() -> PartKey? {
        guard let entry = entries.popFirst() else { return nil }
        members.remove(entry.key)
        return entry.key
    }

    mutating func removeAll() { self = DirtyQueue() }
}
