internal import Synchronization

/// Counts changes and wakes whoever waits for the next one. It has no clock of its own, so that a virtual
/// one can bound a wait.
final class MemorySignal: Sendable {
    private struct State {
        var count: UInt64 = 1
        var next = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// Changes so far, beginning with 1.
    var count: UInt64 { state.withLock { $0.count } }

    /// Wakes everyone who waits now, first come first.
    func fire() {
        let woken = state.withLock { state in
            let woken = state.waiting.sorted { $0.key < $1.key }.map(\.value)
            state.count += 1
            state.waiting = [:]
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns once the count is above `seen`, or when the task is cancelled.
    func wait(after seen: UInt64) async {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil || state.count > seen { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                let waiting = state.waiting.removeValue(forKey: ticket)
                if waiting == nil { state.cancelled.insert(ticket) }
                return waiting
            }
            continuation?.resume()
        }
        state.withLock { state in _ = state.cancelled.remove(ticket) }
    }
}
