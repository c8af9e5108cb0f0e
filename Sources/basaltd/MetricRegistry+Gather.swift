internal import Control
internal import Fleet
internal import PostgresClient
internal import Telemetry

extension MetricRegistry<DaemonMetric> {
    /// Takes over what the pool and the feed count themselves.
    func gather(pool: PostgresPool, hub: FeedHub) {
        set(.info, [ProductVersion.current, ProductVersion.build], to: 1)
        set(.feedLag, to: hub.lag.inSeconds)
        let usage = pool.usage
        set(.connections, ["idle"], to: Double(usage.idle))
        set(.connections, ["leased"], to: Double(usage.leased))
        set(.connections, ["connecting"], to: Double(usage.connecting))
        set(.connectionWaiters, to: Double(usage.waiting))
        for (name, counters) in pool.statistics.snapshot { take(name, counters) }
    }

    private func take(_ name: String, _ counters: TransactionStatistics.Counters) {
        set(.transactions, [name, "committed"], to: Double(counters.committed))
        set(.transactions, [name, "failed"], to: Double(counters.failed - counters.outcomeUnknown))
        set(.transactions, [name, "unknown"], to: Double(counters.outcomeUnknown))
        set(.transactionRetries, [name, "serialization"], to: Double(counters.serializationRetries))
        set(.transactionRetries, [name, "deadlock"], to: Double(counters.deadlockRetries))
        set(
            .transactionSeconds, [name],
            to: HistogramSeries(
                bounds: TransactionStatistics.timeBounds, counts: counters.runsByTime,
                sum: counters.totalTime.inSeconds))
    }
}
