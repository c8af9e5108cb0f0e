internal import Synchronization

/// The sequences that an engine works on at once, and those that wait, first come first served.
final class EngineSlots: Sendable {
    private struct State {
        var running = 0
        var context = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// When the prompts that are being read have been read.
        var promptsEnd: ContinuousClock.Instant
    }

    private let slots: Int
    private let queue: Int
    private let state: Mutex<State>

    /// - Parameter queue: sequences that may wait.
    init(slots: Int, queue: Int) {
        self.slots = slots
        self.queue = queue
        state = Mutex(State(promptsEnd: .now))
    }

    var running: Int { state.withLock { $0.running } }
    var waiting: Int { state.withLock { $0.waiting.count } }
    /// Sequences and the tokens that they hold.
    var load: (sequences: Int, context: Int) { state.withLock { ($0.running, $0.context) } }

    /// Waits for a slot.
    ///
    /// - Returns: nil when too many wait already.
    func seat(tokens: Int) async -> Seat? {
        enum Turn { case now, later, never }
        let turn = state.withLock { state -> Turn in
            if state.running < slots, state.waiting.isEmpty {
                state.running += 1
                return .now
            }
            return state.waiting.count < queue ? .later : .never
        }
        switch turn {
        case .never: return nil
        case .now: break
        case .later:
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    guard state.running >= slots || !state.waiting.isEmpty else {
                        state.running += 1
                        return true
                    }
                    state.waiting.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
        state.withLock { $0.context += tokens }
        return Seat(self, tokens: tokens)
    }

    /// Reads a prompt after those before it.
    func read(_ seconds: Double) async throws {
        let end = state.withLock { state in
            state.promptsEnd = max(.now, state.promptsEnd) + .seconds(seconds)
            return state.promptsEnd
        }
        try await Task.sleep(until: end, clock: .continuous)
    }

    fileprivate func leave(tokens: Int) {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.context -= tokens
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            // The slot goes from one to the other.
            return state.waiting.removeFirst()
        }
        next?.resume()
    }

    /// A slot, until it is let go: also when the client went away before its answer.
    final class Seat: Sendable {
        private let slots: EngineSlots
        private let tokens: Int

        fileprivate init(_ slots: EngineSlots, tokens: Int) {
            self.slots = slots
            self.tokens = tokens
        }

        deinit { slots.leave(tokens: tokens) }
    }
}
