internal import Synchronization

/// Wakes whoever waits for changes, and counts wake-ups so that one between a look and a wait is not lost.
final class ChangeSignal: Sendable {
    private struct State {
        var count: UInt64 = 1
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    var count: UInt64 { state.withLock { $0.count } }

    func raise() {
        let waiters = state.withLock { state in
            state.count += 1
            defer { state.waiters.removeAll() }
            return state.waiters.sorted { $0.key < $1.key }.map(\.value)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns as soon as the count is above `seen`, or after `timeout`.
    func wait(after seen: UInt64, timeout: Duration) async throws -> UInt64 {
        await withTaskGroup { group in
            group.addTask { await self.waitForRaise(after: seen) }
            group.addTask { try? await Task.sleep(for: timeout) }  // why: cancelled means enough waiting
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
        return count
    }

    private func waitForRaise(after seen: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    guard state.count <= seen, !Task.isCancelled else { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
