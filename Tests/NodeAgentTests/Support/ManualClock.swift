import Fleet
import NodeAgent
import Synchronization

/// A clock that moves when it is told to.
final class ManualClock: AgentClock {
    private struct Sleeper {
        var id: Int
        var deadline: MonotonicTime
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: MonotonicTime
        var wall: Timestamp
        var sleepers: [Sleeper] = []
        var lastID = 0
    }

    let bootID: String
    private let state: Mutex<State>

    init(now: Double = 1000, wall: Double = 1_700_000_000, bootID: String = "boot-1") {
        self.bootID = bootID
        state = Mutex(State(now: .seconds(now), wall: Timestamp(seconds: wall)))
    }

    func now() -> MonotonicTime { state.withLock { $0.now } }
    func wallTime() -> Timestamp { state.withLock { $0.wall } }

    func advance(_ duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            state.wall = state.wall.advanced(by: duration)
            let now = state.now
            let due = state.sleepers.filter { $0.deadline <= now }
            state.sleepers.removeAll { $0.deadline <= now }
            return due
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    func sleep(until deadline: MonotonicTime) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers.append(Sleeper(id: id, deadline: deadline, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}

extension MonotonicTime {
    static func seconds(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(microseconds: Int64((seconds * 1_000_000).rounded()))
    }
}
