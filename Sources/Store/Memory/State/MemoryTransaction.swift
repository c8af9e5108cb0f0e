import Fleet

/// The call under way: its time and, from its first change on, its number.
struct MemoryTransaction {
    var now: Timestamp
    /// Nil until something is written, as in Postgres.
    var number: UInt64?
    /// Entries of this transaction by document: one document has one entry per transaction.
    var entries: [ID<Document>: FeedCursor] = [:]
}
