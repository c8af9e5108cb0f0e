public import Fleet

/// What emptying one host takes, when the ends of its VMs are known: a simulation of its own, where targets
/// always have room.
public struct HostDrain: Sendable {
    public var order: DrainOrder
    /// Migrations at once, at least 1.
    public var slots: Int
    /// Time that one takes; a slot is busy for all of it, even where its VM ends meanwhile.
    public var length: Duration

    public init(order: DrainOrder, slots: Int, length: Duration) {
        self.order = order
        self.slots = max(1, slots)
        self.length = length
    }

    /// What came of it.
    public struct Outcome: Sendable, Hashable {
        /// VMs moved, by number, in the order in which they started to move.
        public var moved: [Int] = []
        /// VMs that ended before their turn.
        public var avoided = 0
        /// Until the last VM had left or ended.
        public var taken = Duration.zero

        public init() {}
    }

    /// Empties a host from `start` on.
    ///
    /// - Parameter vms: with their ends; those that have ended by then do not count.
    public func run(
        _ vms: [DrainCandidate], from start: Timestamp, predictor: LifetimePredictor, seed: UInt64 = 0
    ) -> Outcome {
        var waiting = vms.filter { !hasEnded($0, at: start) }
        var queue = DrainQueue(order: order)
        var outcome = Outcome()
        var freeAt = [Timestamp](repeating: start, count: slots)
        while let slot = freeAt.indices.min(by: { (freeAt[$0], $0) < (freeAt[$1], $1) }) {
            let now = freeAt[slot]
            for gone in waiting where hasEnded(gone, at: now) {
                outcome.avoided += 1
                if let end = gone.endsAt { outcome.taken = max(outcome.taken, end.since(start)) }
            }
            waiting.removeAll { hasEnded($0, at: now) }
            waiting = queue.sorted(waiting, now: now, predictor: predictor, seed: seed)
            guard let vm = waiting.first else { break }
            waiting.removeFirst()
            freeAt[slot] = now.advanced(by: length)
            outcome.moved.append(vm.number)
            outcome.taken = max(outcome.taken, min(vm.endsAt ?? freeAt[slot], freeAt[slot]).since(start))
        }
        return outcome
    }

    private func hasEnded(_ vm: DrainCandidate, at time: Timestamp) -> Bool {
        vm.endsAt.map { $0 <= time } ?? false
    }
}
