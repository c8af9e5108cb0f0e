public import Fleet
internal import Synchronization

/// A store in memory: the semantics of the Postgres store with every call running alone.
///
/// A call is atomic: it is checked first and written after, so a throwing call has written nothing. Time
/// comes from `now` alone, so a virtual clock drives leases, tokens and retention. Nothing is ever forgotten
/// but feed entries on request.
public final class MemoryStore: Store {
    private let state: Mutex<MemoryState>
    private let signal = MemorySignal()
    private let clock: @Sendable () -> Timestamp
    private let alarm: Alarm

    /// - Parameters:
    ///   - now: time of the store, the lease clock.
    ///   - pause: returns after a duration of the same clock; bounds `waitForChange`.
    ///   - alarm: of the same clock; made of `pause` when absent.
    ///   - fleetOrigin: fleet time at the moment of creation; the same as `now` by default.
    ///   - fleetRate: seconds of fleet time per second.
    public init(
        now: @escaping @Sendable () -> Timestamp,
        pause: @escaping @Sendable (Duration) async throws -> Void, alarm: Alarm? = nil,
        fleetOrigin: Timestamp? = nil, fleetRate: Double = 1
    ) {
        let origin = now()
        clock = now
        self.alarm = alarm ?? Alarm(sleep: pause)
        state = Mutex(
            MemoryState(
                cluster: ClusterState(
                    epoch: 1, schemaVersion: 0, quarantineUntil: nil, realOrigin: origin,
                    fleetOrigin: fleetOrigin ?? origin, fleetRate: fleetRate)))
    }

    func read<Answer: Sendable>(_ body: (MemoryState) throws -> Answer) rethrows -> Answer {
        try state.withLock { state in
            state.begin(at: clock())
            return try body(state)
        }
    }

    /// Runs one call and wakes whoever waits when it changed the feed. `held` is a transaction that the call
    /// ends; `wakes` is for calls that somebody waits for without a change of the feed.
    func write<Answer: Sendable>(
        held: UInt64? = nil, wakes: Bool = false, _ body: (inout MemoryState) throws -> Answer
    ) rethrows -> Answer {
        let (answer, changed) = try state.withLock { state in
            state.begin(at: clock(), held: held)
            defer { if let held { state.feed.closeTransaction(held) } }
            let answer = try body(&state)
            return (answer, state.transaction.number != nil)
        }
        if changed || wakes { signal.fire() }
        return answer
    }

    /// As `write`; a trial runs on a copy that is thrown away.
    func write<Answer: Sendable>(
        isTrial: Bool, _ body: (inout MemoryState) throws -> Answer
    ) rethrows -> Answer {
        guard isTrial else { return try write(body) }
        return try read { state in
            var state = state
            return try body(&state)
        }
    }

    public func waitForChange(after seen: UInt64, timeout: Duration) async throws -> UInt64 {
        await signal.wait(after: seen, timeout: timeout, alarm)
        try Task.checkCancellation()
        return signal.count
    }

    public func now() async throws -> Timestamp { clock() }
}
