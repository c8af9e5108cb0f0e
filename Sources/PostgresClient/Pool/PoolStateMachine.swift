/// What a pool does, decided without doing it: events in, actions out.
///
/// A slot goes `connecting -> idle <-> leased` and ends from any of them; a failed attempt stays
/// `connecting` with a later start. A request waits in the queue until it gets a slot, fails or is abandoned.
struct PoolStateMachine {
    typealias SlotID = Int
    typealias RequestID = UInt64

    enum Action: Equatable {
        /// Open a connection for the slot after a wait; answer with `connected` or `connectFailed`.
        case connect(SlotID, after: Duration)
        case lease(SlotID, to: RequestID)
        case fail(RequestID, PostgresError.Code)
        /// Close the slot's connection; no answer wanted.
        case close(SlotID)
        /// The pool was closed and nothing is open any more.
        case finished
    }

    enum Slot: Equatable {
        case connecting
        case idle(since: ContinuousClock.Instant)
        case leased(isDoomed: Bool)
    }

    private let configuration: PoolConfiguration
    private(set) var slots: [SlotID: Slot] = [:]
    private(set) var queue: [RequestID] = []
    /// Idle slots; the last one was used last and is used next, so that the others can age.
    private(set) var idle: [SlotID] = []
    private(set) var isClosed = false
    private var nextSlot = 0
    private var connectFailures = 0

    init(_ configuration: PoolConfiguration) {
        self.configuration = configuration
    }

    private var connectingCount: Int { slots.values.count { $0 == .connecting } }

    /// The pool's work begins: open the minimum.
    mutating func start() -> [Action] {
        refill()
    }

    mutating func request(_ id: RequestID) -> [Action] {
        if isClosed { return [.fail(id, .poolClosed)] }
        if let slot = idle.popLast() {
            slots[slot] = .leased(isDoomed: false)
            return [.lease(slot, to: id)]
        }
        guard queue.count < configuration.queueLimit else { return [.fail(id, .poolExhausted)] }
        queue.append(id)
        return refill()
    }

    /// The caller no longer waits. False when it no longer was in the queue.
    mutating func abandon(_ id: RequestID) -> Bool {
        guard let position = queue.firstIndex(of: id) else { return false }
        queue.remove(at: position)
        return true
    }

    mutating func connected(_ slot: SlotID, now: ContinuousClock.Instant) -> [Action] {
        // Closing gave up the slot while its connection was under way.
        guard slots[slot] == .connecting else { return [.close(slot)] }
        connectFailures = 0
        return offer(slot, now: now)
    }

    /// `fraction` from 0 to 1 spreads the next attempt.
    mutating func connectFailed(_ slot: SlotID, fraction: Double) -> [Action] {
        guard slots[slot] == .connecting else { return [] }
        connectFailures += 1
        let isSurplus = slots.count > configuration.minimumConnections && connectingCount > queue.count
        if isSurplus {
            slots[slot] = nil
            return []
        }
        let delay = configuration.reconnect.delay(attempt: connectFailures, fraction: fraction)
        return [.connect(slot, after: delay)]
    }

    mutating func released(_ slot: SlotID, isReusable: Bool, now: ContinuousClock.Instant) -> [Action] {
        guard case .leased(let isDoomed) = slots[slot] else { return [] }
        guard isReusable, !isDoomed, !isClosed else {
            slots[slot] = nil
            return [.close(slot)] + refill() + finishIfDone()
        }
        return offer(slot, now: now)
    }

    /// The connection of a slot broke by itself.
    mutating func lost(_ slot: SlotID) -> [Action] {
        switch slots[slot] {
        case .idle:
            idle.removeAll { $0 == slot }
            slots[slot] = nil
            return [.close(slot)] + refill() + finishIfDone()
        case .leased:
            slots[slot] = .leased(isDoomed: true)
            return []
        case .connecting, nil:
            return []
        }
    }

    /// Closes what was idle too long, the longest idle first.
    mutating func tick(now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
        while slots.count > configuration.minimumConnections, let slot = idle.first,
            case .idle(let since) = slots[slot], now - since >= configuration.idleTimeout
        {
            idle.removeFirst()
            slots[slot] = nil
            actions.append(.close(slot))
        }
        return actions
    }

    /// Refuses new requests, fails the waiting ones, gives up attempts to connect, closes idle connections;
    /// leased ones may finish.
    mutating func close() -> [Action] {
        guard !isClosed else { return [] }
        isClosed = true
        var actions = queue.map { Action.fail($0, .poolClosed) }
        queue.removeAll()
        for slot in idle {
            slots[slot] = nil
            actions.append(.close(slot))
        }
        idle.removeAll()
        slots = slots.filter { $0.value != .connecting }
        return actions + finishIfDone()
    }

    private mutating func offer(_ slot: SlotID, now: ContinuousClock.Instant) -> [Action] {
        guard !queue.isEmpty else {
            slots[slot] = .idle(since: now)
            idle.append(slot)
            return []
        }
        slots[slot] = .leased(isDoomed: false)
        return [.lease(slot, to: queue.removeFirst())]
    }

    /// Opens connections up to the minimum, and one per waiting request up to the maximum. While attempts
    /// fail, new ones share the wait of the others.
    private mutating func refill() -> [Action] {
        guard !isClosed else { return [] }
        var actions: [Action] = []
        var connecting = connectingCount
        while slots.count < configuration.minimumConnections
            || (connecting < queue.count && slots.count < configuration.maximumConnections)
        {
            slots[nextSlot] = .connecting
            let delay =
                connectFailures == 0
                ? Duration.zero : configuration.reconnect.delay(attempt: connectFailures, fraction: 0)
            actions.append(.connect(nextSlot, after: delay))
            nextSlot += 1
            connecting += 1
        }
        return actions
    }

    private func finishIfDone() -> [Action] {
        isClosed && slots.isEmpty ? [.finished] : []
    }
}
