import Synchronization

/// Latencies of one kind of request, each in the window of time in which it was due.
final class LatencySamples: Sendable {
    private let windows: Mutex<[[Double]]>

    init(windows: Int) { self.windows = Mutex(Array(repeating: [], count: windows)) }

    func add(_ latency: Duration, window: Int) {
        let value = Spread.milliseconds(latency)
        windows.withLock { $0[min(window, $0.count - 1)].append(value) }
    }

    /// One line: how many, p50 and p99 as median and range over the windows, and p99 and the worst of all.
    func line(_ name: String) -> String {
        let windows = windows.withLock { $0.filter { !$0.isEmpty } }
        let all = Spread(windows.flatMap { $0 })
        guard !all.values.isEmpty else { return "\(name) | 0" }
        func spread(_ share: Double) -> String {
            Spread(windows.map { Spread($0).percentile(share) }).text(digits: 1)
        }
        func rounded(_ value: Double) -> String { Spread([value]).rounded(digits: 1) }
        return [
            name, "\(all.values.count)", spread(0.5), spread(0.99), rounded(all.percentile(0.99)),
            rounded(all.highest),
        ].joined(separator: " | ")
    }

    var count: Int { windows.withLock { $0.reduce(0) { $0 + $1.count } } }
}
