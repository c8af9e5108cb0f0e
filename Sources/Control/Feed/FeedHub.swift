internal import Fleet
public import Logging
public import Store
internal import Synchronization
public import Telemetry

/// Reads the change feed once for a whole process and keeps the newest entries for everybody in it:
/// pipelines, agent polls and watches.
///
/// Readers hold their own cursor; nobody is sent anything. A reader that falls behind the kept entries reads
/// on from the store.
public final class FeedHub: Sendable {
    /// Entries kept: some seconds of the highest change rate, about 30 MB.
    public static let keptEntries = 65_536
    /// Entries above `keptEntries` at which the oldest are dropped: each drop moves all that are kept.
    static let surplusEntries = keptEntries / 4
    /// Entries of one read.
    public static let pageSize = 4096
    /// Longest time between two looks at the store when no hint comes.
    public static let lookEvery = Duration.seconds(1)
    /// First and longest pause before another look at what an older transaction holds back.
    static let heldBack = (first: Duration.milliseconds(8), longest: Duration.milliseconds(128))
    /// Pause after a look that found something: under load entries then come in tens, not one by one.
    static let gathering = Duration.milliseconds(8)
    /// How often it is asked how long the held-back changes have waited.
    static let delayEvery = Duration.seconds(5)
    /// Pause after a failed look.
    static let retryAfter = Duration.milliseconds(200)

    private struct State {
        /// Everything after this position and up to `end` is in `entries`.
        var start: FeedCursor?
        var end: FeedCursor?
        var entries: [FeedEntry] = []
        var nextWaiter = 0
        var waiters: [Int: Waiter] = [:]
        var clientsDismissed = false
        /// When the end of the feed was last seen.
        var readAt: Duration?
        /// Age of the oldest change that an open transaction hid at the last look, and when that look was.
        var delay = Duration.zero
        var delayAt: Duration?

        /// Ends the waits that `isOver` says so of; whoever did not begin to wait yet finds itself gone.
        mutating func takeWaiters(
            where isOver: (Waiter) -> Bool = { _ in true }
        ) -> [CheckedContinuation<FeedCursor?, Never>] {
            let over = waiters.filter { isOver($0.value) }.sorted { $0.key < $1.key }
            for (ticket, _) in over { waiters[ticket] = nil }
            return over.compactMap(\.value.continuation)
        }
    }

    private struct Waiter {
        /// Whose allocations it waits for; nil waits for anything.
        var hosts: Set<ID<Document>>?
        /// Whether every entry since its cursor went by it.
        var isTold = false
        /// Nil until it waits.
        var continuation: CheckedContinuation<FeedCursor?, Never>?

        func cares(for touched: Set<ID<Document>>) -> Bool {
            hosts.map { !$0.isDisjoint(with: touched) } ?? true
        }
    }

    private let store: any Store
    let time: Timekeeper
    private let logger: Logger
    private let metrics: MetricRegistry<DaemonMetric>
    private let state = Mutex(State())

    public init(
        store: any Store, time: Timekeeper, logger: Logger,
        metrics: MetricRegistry<DaemonMetric> = MetricRegistry()
    ) {
        self.metrics = metrics
        self.store = store
        self.time = time
        self.logger = logger
    }

    /// Follows the feed until cancelled.
    public func run() async {
        var seen: UInt64 = 0
        var pause = Self.heldBack.first
        while !Task.isCancelled {
            do {
                switch try await advance() {
                case .read:
                    pause = Self.heldBack.first
                    try await time.sleep(Self.gathering)
                case .heldBack:
                    try await lookForDelay()
                    try await time.sleep(pause)
                    pause = min(pause * 2, Self.heldBack.longest)
                case .nothing:
                    pause = Self.heldBack.first
                    state.withLock { $0.delay = .zero }
                    seen = try await store.waitForChange(after: seen, timeout: Self.lookEvery)
                }
            } catch is CancellationError {
                return
            } catch StoreError.watchExpired {
                // The epoch was raised or we slept past the horizon: begin anew; readers are told by their
                // reads.
                let waiters = state.withLock { state in
                    state.start = nil
                    state.end = nil
                    state.entries = []
                    return state.takeWaiters()
                }
                for waiter in waiters { waiter.resume(returning: nil) }
            } catch {
                logger.failure("feed not read", error)
                do { try await time.sleep(Self.retryAfter) } catch { return }
            }
        }
    }

    private enum Look {
        case read, heldBack, nothing
    }

    /// Reads one page.
    private func advance() async throws -> Look {
        guard let end = state.withLock({ $0.end }) else {
            let position = try await store.feedPosition()
            state.withLock { state in
                state.start = position
                state.end = position
            }
            return .read
        }
        let page = try await store.feed(after: end, limit: Self.pageSize)
        guard !page.entries.isEmpty else {
            state.withLock { $0.readAt = time.uptime() }
            return page.isHeldBack ? .heldBack : .nothing
        }
        metrics.add(.feedEntries, by: Double(page.entries.count))
        let touched = Set(page.entries.lazy.filter { $0.kind == .allocation }.compactMap(\.host))
        let waiters = state.withLock { state in
            state.entries += page.entries
            state.end = page.next
            let surplus = state.entries.count - Self.keptEntries
            if surplus > Self.surplusEntries {
                state.start = state.entries[surplus - 1].cursor
                state.entries.removeFirst(surplus)
            }
            return state.takeWaiters { $0.cares(for: touched) }
        }
        for waiter in waiters { waiter.resume(returning: nil) }
        return .read
    }

    /// How far what readers know is behind what is committed, at most: the time since the end of the feed was
    /// last read, about `lookEvery` while the store answers, or the age of what an open transaction hides.
    public var lag: Duration {
        let (readAt, delay) = state.withLock { ($0.readAt, $0.delay) }
        return max(readAt.map { time.uptime() - $0 } ?? .zero, delay)
    }

    /// Those who wait now.
    var waiting: Int { state.withLock { $0.waiters.values.count { $0.continuation != nil } } }

    private func lookForDelay() async throws {
        let now = time.uptime()
        if let last = state.withLock({ $0.delayAt }), now - last < Self.delayEvery { return }
        let delay = try await store.feedDelay()
        state.withLock { state in
            state.delay = delay
            state.delayAt = now
        }
    }

    /// Entries after a cursor, from memory where they are kept.
    ///
    /// - Throws: `StoreError.watchExpired` when they are not retained anywhere.
    public func entries(after cursor: FeedCursor) async throws -> FeedPage {
        let kept: FeedPage? = state.withLock { state in
            guard let start = state.start, let end = state.end, cursor >= start else { return nil }
            guard cursor < end else { return FeedPage(entries: [], next: cursor) }
            let first = state.entries.firstIndex(after: cursor)
            let slice = state.entries[first...].prefix(Self.pageSize)
            return FeedPage(entries: Array(slice), next: slice.last?.cursor ?? cursor)
        }
        if let kept { return kept }
        return try await store.feed(after: cursor, limit: Self.pageSize)
    }

    /// Returns when there are entries after `cursor`, or after `timeout`.
    public func wait(after cursor: FeedCursor, timeout: Duration) async throws {
        _ = try await wait(after: cursor, timeout: timeout, forClient: false, hosts: nil)
    }

    /// As ``wait(after:timeout:)``, for somebody who can ask another controller instead.
    ///
    /// - Parameter gathering: how much longer to wait, so that entries come together.
    /// - Throws: `StoreError.unavailable` once clients are dismissed.
    public func waitForClient(
        after cursor: FeedCursor, timeout: Duration, gathering: Duration = .zero
    ) async throws {
        _ = try await wait(after: cursor, timeout: timeout, forClient: true, hosts: nil)
        if gathering > .zero { try await time.sleep(gathering) }
        if state.withLock({ $0.clientsDismissed }) { throw StoreError.unavailable("the controller stops") }
    }

    /// As ``waitForClient(after:timeout:gathering:)``, for changes of allocations on some hosts alone: a fleet
    /// in which something happens all the time does not wake every agent each time.
    ///
    /// - Parameter ticket: from `beginWait`, with the hosts.
    /// - Returns: where to go on; nothing of these hosts lies between `cursor` and there.
    /// - Throws: `StoreError.unavailable` once clients are dismissed.
    func waitForClient(
        _ ticket: Int, after cursor: FeedCursor, timeout: Duration, gathering: Duration
    ) async throws -> FeedCursor {
        let passed = try await wait(ticket, after: cursor, timeout: timeout, forClient: true)
        if passed == nil, gathering > .zero { try await time.sleep(gathering) }
        if state.withLock({ $0.clientsDismissed }) { throw StoreError.unavailable("the controller stops") }
        return passed.map { max($0, cursor) } ?? cursor
    }

    /// Ends the waits of clients, now and from now on: a server that stops cannot wait for them.
    public func dismissClients() {
        let waiters = state.withLock { state in
            state.clientsDismissed = true
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }

    /// - Returns: the end of the feed as of the timeout, when nothing that is waited for came until then and
    ///   everything was seen; nil otherwise.
    private func wait(
        after cursor: FeedCursor, timeout: Duration, forClient: Bool, hosts: Set<ID<Document>>?
    ) async throws -> FeedCursor? {
        let ticket = beginWait(hosts)
        return try await wait(ticket, after: cursor, timeout: timeout, forClient: forClient)
    }

    /// - Returns: what names a wait that is about to begin; only then may it be ended.
    func beginWait(_ hosts: Set<ID<Document>>?) -> Int {
        state.withLock { state in
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = Waiter(hosts: hosts)
            return state.nextWaiter
        }
    }

    private func wait(
        _ ticket: Int, after cursor: FeedCursor, timeout: Duration, forClient: Bool
    ) async throws -> FeedCursor? {
        var passed: FeedCursor?
        await time.alarm.after(timeout) {
            self.endWait(ticket)
        } during: {
            passed = await self.waitForEntries(ticket, after: cursor, forClient: forClient)
        }
        try Task.checkCancellation()
        return passed
    }

    private func waitForEntries(_ ticket: Int, after cursor: FeedCursor, forClient: Bool) async -> FeedCursor?
    {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard var waiter = state.waiters[ticket] else { return true }
                    if Task.isCancelled || (forClient && state.clientsDismissed)
                        || state.entries.last.map({ $0.cursor > cursor }) ?? false
                    {
                        state.waiters[ticket] = nil
                        return true
                    }
                    waiter.isTold = state.start.map { $0 <= cursor } ?? false
                    waiter.continuation = continuation
                    state.waiters[ticket] = waiter
                    return false
                }
                if isOver { continuation.resume(returning: nil) }
            }
        } onCancel: {
            endWait(ticket)
        }
    }

    /// Ends a wait before anything came.
    func endWait(_ ticket: Int) {
        let (waiter, end) = state.withLock { ($0.waiters.removeValue(forKey: ticket), $0.end) }
        waiter?.continuation?.resume(returning: waiter?.isTold == true ? end : nil)
    }
}

extension [FeedEntry] {
    /// Index of the first entry behind a cursor; the entries are in order.
    fileprivate func firstIndex(after cursor: FeedCursor) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].cursor > cursor { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
