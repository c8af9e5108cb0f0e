internal import Control
internal import Fleet
internal import Store
internal import Synchronization

/// Judges the ledger whenever it changed: what two judgements of the whole fleet could both miss, because it
/// was put right between them.
///
/// Looks at hosts whose rows changed since the last look, and at what they carry, so that a look costs what
/// was changed. Commits of one instant are one look.
final class LedgerWatch: Sendable {
    /// Invariants that rows of hosts and allocations alone can break: devices, memory and cores, generations
    /// that go back, the guaranteed class.
    private static let judged: Set = [1, 2, 4, 7]

    private struct State {
        var history = HostHistory()
        var looks = 0
    }

    private let state = Mutex(State())

    /// Times that something had changed.
    var looks: Int { state.withLock(\.looks) }

    /// What hosts looked like, up to what they look like now.
    func history(until now: [HostObservation]) -> [HostObservation] {
        state.withLock { $0.history.until(now) }
    }

    func look(at store: MemoryStore) async throws -> [InvariantViolation] {
        let epoch = try await store.clusterState().epoch
        let now = try await store.hosts(.all).map { ($0, HostObservation($0, epoch: epoch)) }
        let (changed, observed) = state.withLock { state in
            let changed = now.filter { state.history[$0.1.host].last != $0.1 }
            // Rows do not say their epoch: the present one is told as well, or it could go back unseen.
            let observed = state.history.until(changed.map(\.1))
            for (_, observation) in changed { state.history.note(observation) }
            if !changed.isEmpty { state.looks += 1 }
            return (changed.map(\.0), observed)
        }
        guard !changed.isEmpty else { return [] }
        let snapshot = FleetSnapshot(
            hosts: changed, allocations: try await store.allocations(.hosts(changed.map(\.id))),
            workloads: [], plans: [], feed: [], events: [], quotas: [], observations: observed)
        return check(snapshot).filter { Self.judged.contains($0.invariant) }
    }
}
