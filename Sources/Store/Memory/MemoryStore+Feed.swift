import Fleet

extension MemoryStore {
    public func feed(after cursor: FeedCursor, limit: Int) async throws -> FeedPage {
        try read { try $0.feed.page(after: cursor, limit: limit, epoch: $0.cluster.epoch) }
    }

    public func feedPosition() async throws -> FeedCursor {
        read { $0.feed.position(epoch: $0.cluster.epoch) }
    }

    public func feedPosition(resourceVersion: String) async throws -> FeedCursor {
        try read { try $0.feed.position(of: resourceVersion, epoch: $0.cluster.epoch) }
    }

    public func feedDelay() async throws -> Duration {
        read { state in state.feed.hiddenSince.map { max(state.now.since($0), .zero) } ?? .zero }
    }

    public func pruneFeed(olderThan age: Duration) async throws {
        write { state in state.feed.prune(before: state.now.advanced(by: .zero - age)) }
    }

    /// Opens a transaction that stays open beside the calls: it hides itself and everything younger from
    /// readers of the feed until it is finished. For tests of the order of the feed.
    func begin() -> UInt64 { write { $0.feed.openTransaction() } }

    /// Ends an open transaction with documents that it creates.
    func finish(_ held: UInt64, creating drafts: [DocumentDraft], context: WriteContext) throws -> [Resource]
    {
        try write(held: held) { try $0.create(drafts, context: context) }
    }
}
