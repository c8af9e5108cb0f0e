internal import Foundation

/// Prompts in the pipeline of a replica, one after another: the same arrivals, drawn once, for every replica.
///
/// Formulas of a single server miss what pipelines do to prompts of unequal length: a short one that follows
/// a long one is behind it in every stage.
struct PromptQueue {
    /// Samples in the order in which they come.
    private let order: [Int]
    /// Before each, as multiples of the mean time between arrivals.
    private let gaps: [Double]
    private let samples: Int

    /// How often each sample comes, at most.
    private static let passes = 10
    /// Arrivals at most: what delays come to is then right to some percent.
    private static let arrivalLimit = 2000

    /// What became of the prompts.
    struct Outcome {
        /// Of each sample, the share that had its first token in time.
        var first: [Double]
        /// Beyond what a prompt takes alone, mean; seconds.
        var delay: Double
    }

    init(samples: Int) {
        var random = SplitMix64(seed: 1)
        func shuffled<Element>(_ elements: [Element]) -> [Element] {
            var elements = elements
            for index in stride(from: elements.count - 1, to: 0, by: -1) {
                elements.swapAt(index, random.below(index + 1))
            }
            return elements
        }
        let passes = max(1, min(Self.passes, Self.arrivalLimit / max(samples, 1)))
        order = (0..<passes).flatMap { _ in shuffled(Array(0..<samples)) }
        let count = Double(passes * samples)
        gaps = shuffled((0..<passes * samples).map { -log(1 - (Double($0) + 0.5) / count) })
        self.samples = samples
    }

    /// - Parameters:
    ///   - rate: prompts per second, above 0.
    ///   - share: of all requests. Those come at random, and routes deal them out by turns: the fewer of them a
    ///     replica gets, the more regularly they come.
    ///   - limit: seconds until the first token.
    func run(_ costs: LayoutCosts, rate: Double, share: Double, limit: Double) -> Outcome {
        guard rate > 0 else { return Outcome(first: [Double](repeating: 0, count: samples), delay: 0) }
        let stages = costs.model.layout.stages.count
        var free = [Double](repeating: 0, count: stages)
        var inTime = [Int](repeating: 0, count: samples)
        var delay = 0.0
        var now = 0.0
        let mean = 1 / rate
        let spread = min(1, share).squareRoot()
        for (sample, gap) in zip(order, gaps) {
            now += (1 + (gap - 1) * spread) * mean
            var end = now
            let base = sample * stages
            for stage in 0..<stages {
                end = max(end, free[stage]) + costs.passing[base + stage]
                free[stage] = end
                end += costs.sending[base + stage]
            }
            let latency = costs.latencies[sample]
            let late = max(0, end - now - (latency - costs.request))
            delay += late
            if latency + late <= limit { inTime[sample] += 1 }
        }
        let passes = Double(order.count) / Double(max(samples, 1))
        return Outcome(
            first: inTime.map { Double($0) / passes }, delay: delay / Double(max(order.count, 1)))
    }
}
