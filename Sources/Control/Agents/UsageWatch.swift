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

        /// Of scopes; eight weeks of them are what ratios are learnt from.
        public var scopes: Duration
        /// Of what was decided about ratios and is in force no more: three budgets' windows.
        public var decisions: Duration

        /// Bins are for looking back on an incident; five weeks of hours show the end of a month.
        public static let standard = Retention(bins: .seconds(3 * 86_400), hours: .seconds(35 * 86_400))

        public init(
            bins: Duration, hours: Duration, scopes: Duration = .seconds(60 * 86_400),
            decisions: Duration = .seconds(90 * 86_400)
        ) {
            self.bins = bins
            self.hours = hours
            self.scopes = scopes
            self.decisions = decisions
        }
    }

    /// Between two looks at bins and partitions, on the fleet clock: hours are made soon after they are over.
    private static let rollEvery = Duration.seconds(300)
    /// On the fleet clock: agents tell of a bin when it has ended.
    private static let settle = Duration.seconds(600)

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
                let rate = try await store.clusterState().fleetRate
                guard rolled.map({ looked.since($0) >= Self.rollEvery / rate }) ?? true else { continue }
                rolled = looked
                // What takes agents an interval or two takes longer where the fleet clock runs fast.
                let late = Duration.seconds(2 * terms.intervalSeconds * max(0, rate - 1))
                _ = try await store.rollUpUsage(settle: Self.settle + late)
                try await store.keepUsage(
                    bins: retention.bins, hours: retention.hours, scopes: retention.scopes)
                try await store.keepDecisions(for: retention.decisions)
            } catch is CancellationError {
                return
            } catch {
                listeningSince = time.now()
                logger.failure("watching use failed", error)
            }
        }
    }
}
