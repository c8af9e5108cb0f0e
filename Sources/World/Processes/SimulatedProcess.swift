internal import Fleet
internal import Synchronization

/// A process that can be killed without a last word, and stopped for a while.
final class SimulatedProcess: Sendable {
    private struct State {
        var isDead = false
        var goesOnAt: Int64 = 0
        var waiter: CheckedContinuation<Void, Never>?
        var onDeath: (@Sendable () -> Void)?
    }

    let clock: VirtualClock
    private let state = Mutex(State())

    init(clock: VirtualClock) { self.clock = clock }

    var isDead: Bool { state.withLock { $0.isDead } }

    /// What the operating system does at the end of the process, such as closing its connections.
    func atDeath(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onDeath = action } }

    /// From now on it neither does nor learns anything.
    func kill() {
        let (waiter, onDeath) = state.withLock { state in
            state.isDead = true
            defer {
                state.waiter = nil
                state.onDeath = nil
            }
            return (state.waiter, state.onDeath)
        }
        onDeath?()
        waiter?.resume()
    }

    /// It stands still, as after SIGSTOP.
    func stall(until time: Int64) { state.withLock { $0.goesOnAt = max($0.goesOnAt, time) } }

    /// Where the process comes back from waiting: a stopped one waits on, a dead one never comes back.
    /// - Throws: `CancellationError` when it is dead.
    func proceed() async throws {
        while true {
            let (isDead, goesOnAt) = state.withLock { ($0.isDead, $0.goesOnAt) }
            if isDead { throw CancellationError() }
            if goesOnAt <= clock.now { return }
            try await clock.sleep(until: goesOnAt)
        }
    }

    /// Rings whatever the process does; what waited comes back when the process goes on.
    var alarm: Alarm {
        Alarm { limit, ring, wait in
            await self.clock.alarm.after(limit, ring, during: wait)
            try? await self.proceed()  // why: what a dead process waits in is cancelled as a whole
        }
    }

    /// Runs until the body ends or the process is killed.
    func run(_ body: @escaping @Sendable () async -> Void) async {
        await withTaskGroup { group in
            group.addTask { await body() }
            group.addTask { await self.waitForDeath() }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForDeath() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isDead || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}
