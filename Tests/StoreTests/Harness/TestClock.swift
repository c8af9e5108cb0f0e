import Fleet
import Synchronization

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private struct State {
        var now: Timestamp
        var next = 0
        var waiting: [Int: (until: Timestamp, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    init(_ start: Timestamp) { state = Mutex(State(now: start)) }

    var now: Timestamp { state.withLock { $0.now } }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.waiting.filter { $0.value.until <= state.now }
            for key in due.keys { state.waiting[key] = nil }
            return due.sorted { $0.key < $1.key }.map(\.value.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Returns when the clock was moved by `duration`.
    func pause(_ duration: Duration) async throws {
        let (ticket, until) = state.withLock { state in
            state.next += 1
            return (state.next, state.now.advanced(by: duration))
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return true }
                    state.waiting[ticket] = (until, continuation)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                let waiting = state.waiting.removeValue(forKey: ticket)
                if waiting == nil { state.cancelled.insert(ticket) }
                return waiting
            }
            waiting?.continuation.resume(throwing: CancellationError())
        }
    }
}
