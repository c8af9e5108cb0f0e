import Synchronization

/// What became of the named transactions of a pool; read it for metrics.
public final class TransactionStatistics: Sendable {
    public struct Counters: Sendable, Hashable {
        /// Runs of the whole transaction, each with all its attempts.
        public var started = 0
        public var committed = 0
        /// Ended by an error, a cancellation or too many retries.
        public var failed = 0
        /// Attempts repeated after SQLSTATE 40001.
        public var serializationRetries = 0
        /// Attempts repeated after SQLSTATE 40P01.
        public var deadlockRetries = 0
        /// Given up because the last allowed attempt failed too; also counted in `failed`.
        public var exhausted = 0
        /// The connection broke while COMMIT ran; also counted in `failed`.
        public var outcomeUnknown = 0
        /// From the first BEGIN to the end, summed over all runs, without the wait for a connection.
        public var totalTime: Duration = .zero
        public var longestTime: Duration = .zero
        /// Runs by time: one count per bound of `timeBounds`, and one for those beyond the last.
        public var runsByTime = [Int](repeating: 0, count: TransactionStatistics.timeBounds.count + 1)

        public init() {}
    }

    /// Upper bounds of `runsByTime`, seconds: a commit of one row, up to what nobody waits for.
    public static let timeBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    private let counters = Mutex<[String: Counters]>([:])

    init() {}

    /// The counters by name, names in order.
    public var snapshot: [(name: String, counters: Counters)] {
        counters.withLock { counters in
            counters.sorted { $0.key < $1.key }.map { (name: $0.key, counters: $0.value) }
        }
    }

    public subscript(name: String) -> Counters {
        counters.withLock { $0[name] ?? Counters() }
    }

    func record(_ name: String, _ change: (inout Counters) -> Void) {
        counters.withLock { change(&$0[name, default: Counters()]) }
    }
}
