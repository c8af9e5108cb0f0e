import Fleet

/// The change feed with the visibility of Postgres: an entry is seen once no transaction as old as its own,
/// or older, is still open, so nothing can enter behind a reader.
struct FeedLog {
    struct Row {
        var entry: FeedEntry
        var at: Timestamp
        /// Oldest transaction that was open when the entry was written.
        var floor: UInt64
    }

    /// In order of the cursor.
    private(set) var rows: [Row] = []
    /// Transactions held open beside the calls.
    private var open: Set<UInt64> = []
    private var nextNumber: UInt64 = 1
    private var nextSequence: Int64 = 1
    /// Greatest cursor that was forgotten.
    private var forgotten: FeedCursor?

    /// Transactions below are all finished.
    var horizon: UInt64 { open.min() ?? nextNumber }

    mutating func takeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    mutating func takeSequence() -> Int64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    /// Opens a transaction that hides itself and everything younger until it is closed.
    mutating func openTransaction() -> UInt64 {
        let number = takeNumber()
        open.insert(number)
        return number
    }

    mutating func closeTransaction(_ number: UInt64) { open.remove(number) }

    mutating func insert(_ entry: FeedEntry, at now: Timestamp) {
        let row = Row(entry: entry, at: now, floor: min(horizon, entry.cursor.transaction))
        rows.insert(row, at: index(after: entry.cursor))
    }

    /// Puts an entry in the place of the one with its cursor.
    mutating func replace(_ entry: FeedEntry) {
        let place = index(after: entry.cursor) - 1
        if place >= 0, rows[place].entry.cursor == entry.cursor { rows[place].entry = entry }
    }

    /// - Throws: `watchExpired`.
    func page(after cursor: FeedCursor, limit: Int, epoch: Int) throws -> FeedPage {
        try check(cursor, epoch: epoch)
        var entries: [FeedEntry] = []
        let horizon = horizon
        for row in rows[index(after: cursor)...].prefix(max(0, limit)) {
            guard row.entry.cursor.transaction < horizon else { break }
            entries.append(row.entry)
        }
        return FeedPage(
            entries: entries, next: entries.last?.cursor ?? cursor,
            isHeldBack: rows.last.map { $0.entry.cursor.transaction >= horizon } ?? false)
    }

    func position(epoch: Int) -> FeedCursor {
        FeedCursor(epoch: epoch, transaction: horizon, sequence: 0)
    }

    /// A version of a document starts at its entry's floor, a list's position at itself.
    /// - Throws: `watchExpired`.
    func position(of version: String, epoch: Int) throws -> FeedCursor {
        guard let cursor = FeedCursor(version) else { throw StoreError.watchExpired }
        guard cursor.sequence > 0 else {
            try check(cursor, epoch: epoch)
            return cursor
        }
        let place = index(after: cursor) - 1
        guard place >= 0, rows[place].entry.cursor == cursor else { throw StoreError.watchExpired }
        let start = FeedCursor(epoch: cursor.epoch, transaction: rows[place].floor, sequence: 0)
        try check(start, epoch: epoch)
        return start
    }

    /// When the oldest entry was written that no reader sees yet.
    var hiddenSince: Timestamp? {
        let horizon = horizon
        return rows.lazy.filter { $0.entry.cursor.transaction >= horizon }.map(\.at).min()
    }

    /// Forgets finished entries written before a time.
    mutating func prune(before time: Timestamp) {
        let horizon = horizon
        let gone = rows.filter { $0.at < time && $0.entry.cursor.transaction < horizon }
        guard let last = gone.last?.entry.cursor else { return }
        forgotten = max(forgotten ?? last, last)
        rows.removeAll { $0.at < time && $0.entry.cursor.transaction < horizon }
    }

    private func check(_ cursor: FeedCursor, epoch: Int) throws {
        guard cursor.epoch == epoch else { throw StoreError.watchExpired }
        if let forgotten, forgotten.epoch == epoch, cursor < forgotten { throw StoreError.watchExpired }
    }

    private func index(after cursor: FeedCursor) -> Int {
        rows.partitioningIndex { $0.entry.cursor > cursor }
    }
}
