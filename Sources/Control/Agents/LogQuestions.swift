internal import AgentProtocol
internal import Fleet
internal import Logging
internal import Store
internal import Synchronization

/// Wakes the polls of sessions that are asked for output: one look at the store for all sessions of a
/// process.
final class LogQuestions: Sendable {
    enum Timing {
        /// Shortest time between two looks: in a busy fleet the store changes all the time, and a reader of
        /// output does not notice.
        static let pause = Duration.milliseconds(50)
        /// Longest time between two looks when no hint comes.
        static let lookEvery = Duration.seconds(1)
    }

    private struct State {
        var asked: Set<ID<AgentSession>> = []
        var nextWaiter = 0
        var waiters: [Int: (session: ID<AgentSession>, wake: @Sendable () -> Void)] = [:]
    }

    private let store: any Store
    private let state = Mutex(State())

    init(store: any Store) { self.store = store }

    /// Looks until cancelled.
    func run(_ time: Timekeeper, logger: Logger) async {
        var seen: UInt64 = 0
        while !Task.isCancelled {
            do {
                wake(Set(try await store.sessionsAsked()))
                try await time.sleep(Timing.pause)
                seen = try await store.waitForChange(after: seen, timeout: Timing.lookEvery)
            } catch is CancellationError {
                return
            } catch {
                logger.warning("questions for output not read", metadata: ["error": "\(error)"])
                do { try await time.sleep(Timing.lookEvery) } catch { return }
            }
        }
    }

    /// What the session is asked; none when nobody asked as of the last look.
    func take(_ session: ID<AgentSession>) async throws -> [LogQuestion] {
        guard state.withLock({ $0.asked.remove(session) }) != nil else { return [] }
        return try await store.takeQuestions(session: session)
    }

    /// Has `wake` called once when the session is asked, at once when it is.
    ///
    /// - Returns: what `unwatch` takes.
    func watch(_ session: ID<AgentSession>, _ wake: @escaping @Sendable () -> Void) -> Int {
        let (id, isAsked) = state.withLock { state in
            state.nextWaiter += 1
            let isAsked = state.asked.contains(session)
            if !isAsked { state.waiters[state.nextWaiter] = (session, wake) }
            return (state.nextWaiter, isAsked)
        }
        if isAsked { wake() }
        return id
    }

    func unwatch(_ id: Int) { state.withLock { _ = $0.waiters.removeValue(forKey: id) } }

    private func wake(_ asked: Set<ID<AgentSession>>) {
        let woken = state.withLock { state in
            state.asked = asked
            let woken = state.waiters.filter { asked.contains($0.value.session) }.sorted { $0.key < $1.key }
            for waiter in woken { state.waiters[waiter.key] = nil }
            return woken.map(\.value.wake)
        }
        for wake in woken { wake() }
    }
}
