public import Fleet

/// The change feed: every committed change once, in an order that no late commit can enter behind a reader.
public protocol FeedStore: Sendable {
    /// The next entries after a cursor, up to `limit`.
    ///
    /// - Throws: `watchExpired` when the cursor is of another epoch or older than what is retained.
    func feed(after cursor: FeedCursor, limit: Int) async throws -> FeedPage

    /// Position from which a reader that reads state now misses nothing.
    func feedPosition() async throws -> FeedCursor

    /// Where a watch from a document's `resourceVersion` or a list's starts.
    ///
    /// - Throws: `watchExpired`.
    func feedPosition(resourceVersion: String) async throws -> FeedCursor

    /// Returns when something may have been committed since the answer `seen` of an earlier call (0 at
    /// first), or after `timeout`. A hint, never a promise.
    func waitForChange(after seen: UInt64, timeout: Duration) async throws -> UInt64

    /// Age of the oldest committed entry that no reader sees yet, because an older transaction is still open;
    /// zero when everything committed is seen.
    func feedDelay() async throws -> Duration

    /// Forgets entries older than `age`.
    func pruneFeed(olderThan age: Duration) async throws
}

/// A place in the feed; ordered by (epoch, transaction, sequence).
public struct FeedCursor: Sendable, Hashable, Comparable {
    public var epoch: Int
    public var transaction: UInt64
    public var sequence: Int64

    public init(epoch: Int, transaction: UInt64, sequence: Int64) {
        self.epoch = epoch
        self.transaction = transaction
        self.sequence = sequence
    }

    public static func < (lhs: FeedCursor, rhs: FeedCursor) -> Bool {
        (lhs.epoch, lhs.transaction, lhs.sequence) < (rhs.epoch, rhs.transaction, rhs.sequence)
    }

    /// The opaque form, `epoch.transaction.sequence`.
    public var text: String { "\(epoch).\(transaction).\(sequence)" }

    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let epoch = Int(parts[0]), let transaction = UInt64(parts[1]),
            let sequence = Int64(parts[2])
        else { return nil }
        self.init(epoch: epoch, transaction: transaction, sequence: sequence)
    }
}

/// Changes after a cursor, oldest first.
public struct FeedPage: Sendable, Hashable {
    public var entries: [FeedEntry]
    /// Where to go on; moves past the entries read.
    public var next: FeedCursor
    /// More is committed, but is shown only once an older transaction has ended: soon, and without a sign.
    public var isHeldBack: Bool

    public init(entries: [FeedEntry], next: FeedCursor, isHeldBack: Bool = false) {
        self.entries = entries
        self.next = next
        self.isHeldBack = isHeldBack
    }
}

/// One change, by reference: readers look the state up, so they see the newest and never a gap.
public struct FeedEntry: Sendable, Hashable {
    /// What became of the document.
    public enum Change: String, Sendable, Hashable, Codable { case created, updated, deleted }

    public var cursor: FeedCursor
    public var change: Change
    public var kind: Kind
    public var uid: ID<Document>
    public var project: String?
    public var name: String
    /// Cell that the change belongs to, when it belongs to one.
    public var cell: String?
    /// Host of a changed allocation.
    public var host: ID<Document>?
    /// Last version of a deleted document.
    public var final: Resource?

    public init(
        cursor: FeedCursor, change: Change, kind: Kind, uid: ID<Document>, project: String?, name: String,
        cell: String?, host: ID<Document>? = nil, final: Resource? = nil
    ) {
        self.cursor = cursor
        self.change = change
        self.kind = kind
        self.uid = uid
        self.project = project
        self.name = name
        self.cell = cell
        self.host = host
        self.final = final
    }
}
