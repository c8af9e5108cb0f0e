public import Logging
public import Store

/// Forgets what is old and prepares what comes: feed entries, idempotency keys and event partitions. Every
/// controller does it; doing it twice is harmless.
public struct Housekeeping: Sendable {
    /// A watch may be away for so long and go on without listing again.
    public static let feedAge = Duration.seconds(3600)
    static let every = Duration.seconds(300)

    private let store: any Store
    private let time: Timekeeper
    private let logger: Logger

    public init(store: any Store, time: Timekeeper, logger: Logger) {
        self.store = store
        self.time = time
        self.logger = logger
    }

    /// Runs until cancelled.
    public func run() async {
        while !Task.isCancelled {
            do {
                try await time.sleep(Self.every)
                try await store.pruneFeed(olderThan: Self.feedAge)
                try await store.keepHouse()
            } catch is CancellationError {
                return
            } catch {
                logger.failure("housekeeping failed", error)
            }
        }
    }
}
