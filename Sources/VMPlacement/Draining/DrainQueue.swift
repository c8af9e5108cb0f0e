public import Fleet

/// The VMs of a host that is to be emptied, in the order in which they move.
///
/// An order holds for a while, so that it does not change under the eyes of whoever follows it; then
/// lifetimes are predicted anew, as those that live on are likely to live longer. Newcomers are put in order
/// at once.
public struct DrainQueue: Sendable, Hashable {
    /// How long an order holds where nothing else is said.
    public static let usualInterval = Duration.seconds(300)

    public let order: DrainOrder
    public let resortEvery: Duration
    private var ranks: [Int: Int] = [:]
    private var sortedAt: Timestamp?

    public init(order: DrainOrder, resortEvery: Duration = Self.usualInterval) {
        self.order = order
        self.resortEvery = resortEvery
    }

    /// The candidates, the one that moves next first.
    ///
    /// - Parameters:
    ///   - predictor: asked by `lars` and `shortest`.
    ///   - seed: of `random`.
    public mutating func sorted(
        _ candidates: [DrainCandidate], now: Timestamp, predictor: LifetimePredictor, seed: UInt64 = 0
    ) -> [DrainCandidate] {
        let isOld = sortedAt.map { now.since($0) >= resortEvery || now < $0 } ?? true
        if isOld || candidates.contains(where: { ranks[$0.number] == nil }) {
            let positions = order.positions(of: candidates, now: now, predictor: predictor, seed: seed)
            ranks = [:]
            for (rank, position) in positions.enumerated() { ranks[candidates[position].number] = rank }
            sortedAt = now
        }
        return candidates.sorted { (ranks[$0.number] ?? .max) < (ranks[$1.number] ?? .max) }
    }
}
