internal import Fleet
internal import Synchronization

/// A queue from many writers to one reader, who takes all that waits at once.
///
/// Unbounded: what is posted here is bounded by its writers, which are the calls in flight and the parts of
/// the session's hosts. Unlike `AsyncStream` it outlives a cancelled reader.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var reader: CheckedContinuation<Void, any Error>?
    }

    private let state = Mutex(State())

    func post(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        let reader = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            state.elements += elements
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    func post(_ element: Element) { post([element]) }

    /// What waits now; empty when nothing does.
    func drain() -> [Element] {
        state.withLock { state in
            defer { state.elements = [] }
            return state.elements
        }
    }

    /// Waits until something is there and takes it.
    /// - Throws: `CancellationError`.
    func take() async throws -> [Element] {
        while true {
            try Task.checkCancellation()
            let elements = drain()
            if !elements.isEmpty { return elements }
            try await waitForPost()
        }
    }

    /// As `take`; what nobody posted until a deadline is posted then.
    /// - Throws: `CancellationError`.
    func take(until deadline: MonotonicTime, by clock: any AgentClock, else substitute: Element) async throws
        -> [Element]
    {
        try Task.checkCancellation()
        let elements = drain()
        if !elements.isEmpty { return elements }
        var taken: Result<[Element], any Error> = .success([])
        await clock.alarm.after(max(deadline.since(clock.now()), .zero)) {
            self.post(substitute)
        } during: {
            do { taken = .success(try await self.take()) } catch { taken = .failure(error) }
        }
        return try taken.get()
    }

    private func waitForPost() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The handler runs after cancellation is visible: it either finds the reader, or is seen
                // here.
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if !state.elements.isEmpty { return .success(()) }
                    precondition(state.reader == nil, "a mailbox has one reader")
                    state.reader = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let reader = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }
}
