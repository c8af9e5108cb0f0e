/// Has something done when a wait lasts too long, such as ending it. A part of a clock: a system's clock needs
/// a task that sleeps meanwhile, a simulated one notes the time.
public struct Alarm: Sendable {
    public typealias Ring = @Sendable () -> Void
    public typealias Wait = () async -> Void

    private let set: @Sendable (Duration, @escaping Ring, Wait) async -> Void

    /// - Parameter set: returns when the wait has returned, and rings at most once, when the wait lasts longer
    ///   than the duration. It may ring although the wait is just over.
    public init(_ set: @escaping @Sendable (Duration, @escaping Ring, Wait) async -> Void) {
        self.set = set
    }

    /// - Parameter sleep: waits on the clock; whoever cannot sleep has waited enough.
    public init(sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.init { limit, ring, wait in
            await withDiscardingTaskGroup { group in
                group.addTask {
                    do { try await sleep(limit) } catch { if Task.isCancelled { return } }
                    ring()
                }
                await wait()
                group.cancelAll()
            }
        }
    }

    /// Waits, and calls `ring` when that lasts longer than `limit`. A cancelled wait ends by itself, without it.
    public func after(_ limit: Duration, _ ring: @escaping Ring, during wait: Wait) async {
        await set(limit, ring, wait)
    }
}
