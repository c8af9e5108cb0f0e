internal import FaultLab
internal import Fleet
internal import Store
internal import Synchronization

/// The connection of one controller to the store: calls take time, fail as connections do, and end with the
/// process.
final class StoreLink: Sendable {
    let store: MemoryStore
    let process: SimulatedProcess
    private let conditions: Conditions
    private let random: Mutex<FaultRandom>

    init(store: MemoryStore, process: SimulatedProcess, conditions: Conditions, seed: UInt64) {
        self.store = store
        self.process = process
        self.conditions = conditions
        random = Mutex(FaultRandom(seed: seed))
    }

    func read<Answer: Sendable>(
        _ body: (MemoryStore) async throws -> Answer
    ) async throws -> Answer {
        try await call(writes: false, body)
    }

    func write<Answer: Sendable>(
        _ body: (MemoryStore) async throws -> Answer
    ) async throws -> Answer {
        try await call(writes: true, body)
    }

    /// The store does each call at one moment; what another controller does comes before or after it.
    private func call<Answer: Sendable>(
        writes: Bool, _ body: (MemoryStore) async throws -> Answer
    ) async throws -> Answer {
        try await process.proceed()
        let condition = conditions.store
        let fate = random.withLock { StoreFate(condition, writes: writes, &$0) }
        if fate.isPlain, !condition.isDown { return try await body(store) }
        if fate.before > .zero { try await wait(fate.before) }
        if conditions.store.isDown { throw StoreError.unavailable("the database does not answer") }
        if let refusal = fate.refusal { throw refusal }
        if fate.isLost { throw StoreError.outcomeUnknown("the connection broke") }
        let answer = try await body(store)
        if fate.after > .zero { try await wait(fate.after) }
        if fate.breaks || conditions.store.isDown && fate.after > .zero {
            throw writes
                ? StoreError.outcomeUnknown("the connection broke")
                : StoreError.unavailable("the connection broke")
        }
        return answer
    }

    private func wait(_ duration: Duration) async throws {
        try await process.clock.sleep(for: duration)
        try await process.proceed()
    }
}

extension StoreLink: Store {}

/// What becomes of one call.
private struct StoreFate {
    /// On the way there, and on the way back.
    var before = Duration.zero
    var after = Duration.zero
    var refusal: StoreError?
    /// The connection breaks: nothing was written, or all was; the caller does not know.
    var isLost = false
    var breaks = false

    /// Whether nothing befalls it.
    var isPlain: Bool {
        before == .zero && after == .zero && refusal == nil && !isLost && !breaks
    }

    /// Shares of reads and writes that others come in between; all of them would cost most of a run's time.
    private static let slow = (reads: 0.05, writes: 0.2)

    /// As the product's sessions have it.
    private static let statementTimeout = Duration.seconds(10)

    init(_ condition: StoreCondition, writes: Bool, _ random: inout FaultRandom) {
        if random.chance(writes ? Self.slow.writes : Self.slow.reads) {
            // One in sixteen takes sixteen times as long.
            let factor = random.below(16) == 0 ? 16 : 1
            let delay = Duration.microseconds(factor * (100 + random.below(900)))
            // On the way there or on the way back, as that is where others come in between.
            if random.chance(0.5) { before = delay } else { after = delay }
        }
        if condition.delay > .zero { before += condition.delay * random.nextUnit() }
        if condition.exhaustion > 0, random.chance(condition.exhaustion) {
            refusal = .unavailable("sorry, too many clients already")
            return
        }
        guard writes else { return }
        if condition.isLocked {
            before += Self.statementTimeout
            refusal = .unavailable("canceling statement due to statement timeout")
        } else if condition.isReadOnly {
            refusal = .unavailable("cannot execute in a read-only transaction")
        } else if condition.conflict > 0, random.chance(condition.conflict) {
            refusal = .unavailable("could not serialize access, ten times")
        } else if condition.unknownOutcome > 0, random.chance(condition.unknownOutcome) {
            if condition.commits ?? random.chance(0.5) { breaks = true } else { isLost = true }
        }
    }
}
