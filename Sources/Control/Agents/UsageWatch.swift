public import AgentProtocol
internal import Fleet
public import Logging
public import Store

/// Freezes hosts whose guards are silent, and makes hours of the bins that they tell. Every controller does
/// it; doing it twice is harmless.
public struct UsageWatch: Sendable {
    /// How long bins and hours are kept.
    public struct Retention: Sendable, Hashable {
        public var bins: Duration
        public var hours: Duration

        /// Bins are for looking back on an incident; five weeks of hours show the end of a month.
        public static let standard = Retention(bins: .seconds(3 * 86_400), hours: .seconds(35 * 86_400))

        public init(bins: Duration, hours: Duration) {
            self.bins = bins
            self.hours = hours
        }
    }

    /// Between two looks at bins and partitions: hours are made soon after they are over.
    private static let rollEvery = Duration.seconds(300)

    private let store: any Store
    private let terms: UsageTerms
    private let retention: Retention
    private let time: Timekeeper
    private let logger: Logger

    public init(
        store: any Store, terms: UsageTerms = .standard, retention: Retention = .standard,
        time: Timekeeper, logger: Logger
    ) {
        self.store = store
        self.terms = terms
        self.retention = retention
        self.time = time
        self.logger = logger
    }

    /// Runs until cancelled.
    public func run() async {
        var rolled: Timestamp?
        var listeningSince = time.now()
        var looked = listeningSince
        while !Task.isCancelled {
            do {
                try await time.sleep(.seconds(terms.intervalSeconds))
                // Who was away itself knows nothing of the silence of others.
                let wasAway = time.now().since(looked) > .seconds(2 * terms.intervalSeconds)
                looked = time.now()
                if wasAway { listeningSince = looked }
                guard looked.since(listeningSince) >= .seconds(terms.silentAfterSeconds) else { continue }
                let silent = try await store.freezeSilentHosts(after: .seconds(terms.silentAfterSeconds))
                if !silent.isEmpty {
                    let metadata: Logger.Metadata = ["hosts": "\(silent.count)"]
                    logger.warning("hosts are silent about their use", metadata: metadata)
                }
                guard rolled.map({ looked.since($0) >= Self.rollEvery }) ?? true else { continue }
                rolled = looked
                _ = try await store.rollUpUsage()
                try await store.keepUsage(bins: retention.bins, hours: retention.hours)
            } catch is CancellationError {
                return
            } catch {
                listeningSince = time.now()
                logger.failure("watching use failed", error)
            }
        }
    }
}
