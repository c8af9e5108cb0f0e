/// Chooses by weights so that short windows match them too (the smooth weighted round-robin of nginx).
struct SmoothRoundRobin {
    private let weights: [Double]
    private var current: [Double]
    private let total: Double

    /// - Parameter weights: from 0 on; one at 0 is never chosen.
    init(_ weights: [Double]) {
        self.weights = weights
        current = weights.map { _ in 0 }
        total = weights.reduce(0, +)
    }

    /// - Returns: nil when all weights are 0.
    mutating func next() -> Int? {
        guard total > 0 else { return nil }
        var best: Int?
        for index in weights.indices where weights[index] > 0 {
            current[index] += weights[index]
            if best.map({ current[index] > current[$0] }) ?? true { best = index }
        }
        if let best { current[best] -= total }
        return best
    }
}
