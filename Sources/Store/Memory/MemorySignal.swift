internal import Fleet
internal import Synchronization

/// Counts changes and wakes whoever waits for the next one. It has no clock of its own, so that a virtual
/// one can bound a wait.
final class MemorySignal: Sendable {
    private struct State {
        var count: UInt64 = 1
        var next = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Over before they began to wait, or after they were woken.
        var left: Set<Int> = []
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

    /// Returns once the count is above `seen`, after `timeout`, or when the task is cancelled.
    func wait(after seen: UInt64, timeout: Duration, _ alarm: Alarm) async {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await alarm.after(timeout) {
            self.leave(ticket)
        } during: {
            await self.wait(ticket, after: seen)
        }
        state.withLock { state in _ = state.left.remove(ticket) }
    }

    private func wait(_ ticket: Int, after seen: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.left.contains(ticket) || state.count > seen { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            leave(ticket)
        }
    }

    private func leave(_ ticket: Int) {
        let continuation = state.withLock { state in
            let waiting = state.waiting.removeValue(forKey: ticket)
            if waiting == nil { state.left.insert(ticket) }
            return waiting
        }
        continuation?.resume()
    }
}
