internal import Fleet
internal import HeapModule
internal import Synchronization

/// The one clock of a world: it stands still while anything can run, and then jumps to the next timer.
///
/// Times are microseconds since the world began. Timers of one time go off in the order in which they were
/// set.
final class VirtualClock: Sendable {
    /// Wall time at which every world begins.
    static let origin = Timestamp(seconds: 1_767_225_600)

    private struct Timer: Comparable {
        var due: Int64
        var order: Int

        static func < (lhs: Timer, rhs: Timer) -> Bool { (lhs.due, lhs.order) < (rhs.due, rhs.order) }
    }

    private enum Waiter {
        /// Whoever takes it from the waiters resumes it: once, as it is there once. Most of what a world does
        /// is to sleep, and a checked one costs an allocation.
        case task(UnsafeContinuation<Void, any Error>)
        case action(@Sendable () -> Void)
    }

    private struct State {
        var now: Int64 = 0
        var order = 0
        var timers = Heap<Timer>()
        /// By order of the timer; a timer whose waiter is gone was cancelled.
        var waiters: [Int: Waiter] = [:]
        var fired = 0
    }

    private let state = Mutex(State())

    var now: Int64 { state.withLock { $0.now } }
    var wall: Timestamp { Self.origin.advanced(by: .microseconds(now)) }
    /// Timers that went off so far.
    var fired: Int { state.withLock { $0.fired } }

    func sleep(for duration: Duration) async throws {
        try await sleep(until: now + max(0, duration.microseconds))
    }

    /// Returns when the clock stands at `due`; lets others run first in any case.
    /// - Throws: `CancellationError`.
    func sleep(until due: Int64) async throws {
        let order = state.withLock { state in
            state.order += 1
            return state.order
        }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    // The handler runs after cancellation is visible: it finds the waiter, or is seen here.
                    if Task.isCancelled { return true }
                    state.waiters[order] = .task(continuation)
                    state.timers.insert(Timer(due: max(due, state.now), order: order))
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: order) }
            if case .task(let continuation) = waiter { continuation.resume(throwing: CancellationError()) }
        }
    }

    /// Has something done at a time; it cannot wait for anything.
    /// - Returns: what `cancel` takes.
    @discardableResult
    func at(_ due: Int64, _ action: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.order += 1
            state.waiters[state.order] = .action(action)
            state.timers.insert(Timer(due: max(due, state.now), order: state.order))
            return state.order
        }
    }

    /// Has it not done after all.
    func cancel(_ order: Int) { state.withLock { _ = $0.waiters.removeValue(forKey: order) } }

    /// One on this clock: no task has to sleep for it.
    var alarm: Alarm {
        Alarm { limit, ring, wait in
            let timer = self.at(self.now + max(0, limit.microseconds), ring)
            await wait()
            self.cancel(timer)
        }
    }

    /// Moves to the next timer and lets it go off; false when there is none.
    func advance() -> Bool {
        let waiter = state.withLock { state -> Waiter? in
            while let timer = state.timers.popMin() {
                guard let waiter = state.waiters.removeValue(forKey: timer.order) else { continue }
                state.now = timer.due
                state.fired += 1
                return waiter
            }
            return nil
        }
        switch waiter {
        case .task(let continuation): continuation.resume()
        case .action(let action): action()
        case nil: return false
        }
        return true
    }
}
