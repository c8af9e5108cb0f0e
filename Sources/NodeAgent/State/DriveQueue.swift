/// Calls to the runtime, bounded in number.
struct DriveQueue: Sendable {
    private var waiting = FIFO<RuntimeCall>()
    /// Starts that may not be made now: their host is unconfirmed or unreachable, or the lease ran out.
    private var held: [PartKey] = []
    private var retries = DeadlineQueue<PartKey>()
    private(set) var inFlight = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    var nextRetry: MonotonicTime? { retries.nextDue }

    mutating func enqueue(_ call: RuntimeCall) { waiting.append(call) }
    mutating func hold(_ key: PartKey) { held.append(key) }

    /// What kept starts back may be over.
    mutating func releaseHeld() {
        for key in held { waiting.append(.start(key)) }
        held = []
    }

    mutating func retryStop(of key: PartKey, at due: MonotonicTime) { retries.insert(key, due: due) }

    mutating func releaseRetries(at now: MonotonicTime) {
        while let retry = retries.popFirst(through: now) { waiting.append(.stop(retry.element)) }
    }

    /// The next call when there is room for one.
    mutating func next() -> RuntimeCall? { inFlight < limit ? waiting.popFirst() : nil }

    mutating func begin() { inFlight += 1 }
    mutating func end() { inFlight -= 1 }
}
