/// How attainment falls as a replica gets more to do: the parts that a routing problem is told of.
struct ReplicaCurve {
    /// Ends of the parts, as shares of the rate that a replica may get.
    static let shares = [0.4, 0.6, 0.75, 0.88, 1]

    /// Attainment at the end of the first part, before any other loss.
    let base: Double
    let steps: [LoadStep]

    /// - Parameters:
    ///   - most: requests per second that the replica may get.
    ///   - attained: share in time at a rate.
    init(most: Double, attained: (Double) -> Double) {
        let values = Self.shares.map { attained($0 * most) }
        base = values[0]
        var steps: [LoadStep] = []
        var loss = 0.0
        for (index, share) in Self.shares.enumerated() {
            let before = index == 0 ? 0 : Self.shares[index - 1]
            let earlier = index == 0 ? values[0] : values[index - 1]
            // What the further requests gain, less what they take from those that were there.
            let marginal = (share * values[index] - before * earlier) / (share - before)
            loss = max(loss, values[0] - marginal)
            steps.append(LoadStep(rate: (share - before) * most, loss: loss))
        }
        self.steps = steps
    }
}
