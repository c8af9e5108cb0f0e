internal import Synchronization

/// Wakes whoever waits for a change.
final class ChangeSignal: Sendable {
    private struct Waiters {
        var next = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
    }

    private let waiters = Mutex(Waiters())

    /// Wakes everyone who waits now, first come first.
    func fire() {
        let woken = waiters.withLock { state in
            let woken = state.waiting.sorted { $0.key < $1.key }.map(\.value)
            state.waiting = [:]
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns at the next `fire`, or when the task is cancelled.
    func wait() async {
        let ticket = waiters.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = waiters.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isCancelled { continuation.resume() }
            }
        } onCancel: {
            let continuation = waiters.withLock { state in
                let waiting = state.waiting.removeValue(forKey: ticket)
                if waiting == nil { state.cancelled.insert(ticket) }
                return waiting
            }
            continuation?.resume()
        }
        waiters.withLock { state in _ = state.cancelled.remove(ticket) }
    }
}
