/// Notifications that wait for their consumer, each channel and payload once.
struct NotificationBuffer {
    private struct Key: Hashable {
        var channel: String
        var payload: String
    }

    /// Different notifications kept; more are dropped and reported as an overflow, because a hint that
    /// needs a full look anyway is not worth unbounded memory.
    var limit = 1_024
    private var waiting: [PostgresNotification] = []
    private var keys: Set<Key> = []
    private(set) var hasOverflowed = false

    var isEmpty: Bool { waiting.isEmpty && !hasOverflowed }

    mutating func append(_ notification: PostgresNotification) {
        let key = Key(channel: notification.channel, payload: notification.payload)
        guard !keys.contains(key) else { return }
        guard waiting.count < limit else {
            hasOverflowed = true
            return
        }
        keys.insert(key)
        waiting.append(notification)
    }

    /// Everything that waits, oldest first, and whether something was dropped since the last call.
    mutating func take() -> (notifications: [PostgresNotification], hasOverflowed: Bool) {
        defer {
            waiting.removeAll()
            keys.removeAll()
            hasOverflowed = false
        }
        return (waiting, hasOverflowed)
    }
}
