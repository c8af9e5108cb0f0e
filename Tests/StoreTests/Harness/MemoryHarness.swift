import Fleet
import Synchronization

@testable import Store

/// A `MemoryStore` under a clock that the test moves.
final class MemoryHarness: StoreHarness {
    let store: any Store
    private let memory: MemoryStore
    private let clock: TestClock

    init() {
        let clock = TestClock(Scene.start)
        self.clock = clock
        memory = MemoryStore(now: { clock.now }, pause: { try await clock.pause($0) })
        store = memory
    }

    func advance(by duration: Duration) { clock.advance(by: duration) }

    func settle() {}

    func holdTransaction() -> any HeldTransaction {
        HeldMemoryTransaction(store: memory, number: memory.begin())
    }

    func holdCommit(_ commit: LedgerCommit) -> (any HeldCommit)? { nil }
}

private struct HeldMemoryTransaction: HeldTransaction {
    var store: MemoryStore
    var number: UInt64

    func finish(creating drafts: [DocumentDraft], context: WriteContext) throws -> [Resource] {
        try store.finish(number, creating: drafts, context: context)
    }
}
