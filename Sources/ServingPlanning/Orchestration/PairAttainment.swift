internal import Foundation

/// Which share of the requests of a pair is in time, from closed formulas.
struct PairAttainment {
    let workload: ServingWorkload
    let levels: ServiceLevels
    private let queue: PromptQueue

    init(workload: ServingWorkload, levels: ServiceLevels) {
        self.workload = workload
        self.levels = levels
        queue = PromptQueue(samples: workload.samples.count)
    }

    /// A queue: the chance to wait, and the mean of those that wait; seconds. Beyond the chance not to wait,
    /// waits count as exponential.
    struct Waiting {
        var chance: Double
        var mean: Double

        /// Chance to wait at most so many seconds.
        func chance(within seconds: Double) -> Double {
            guard seconds >= 0 else { return 0 }
            guard mean > 0 else { return 1 }
            return 1 - chance * exp(-seconds / mean)
        }

        /// Of all, those that do not wait included.
        var overall: Double { chance * mean }
    }

    /// Prompts of a replica.
    ///
    /// - Parameters:
    ///   - rate: requests per second, above 0.
    ///   - share: of all requests.
    func prompts(_ costs: LayoutCosts, rate: Double, share: Double) -> PromptQueue.Outcome {
        var outcome = queue.run(costs, rate: rate, share: share, limit: levels.ttft)
        for (index, sample) in workload.samples.enumerated() where sample.prompt > costs.model.kvTokens {
            outcome.first[index] = 0
        }
        return outcome
    }

    /// A decode replica at work: seconds per token, and how long sequences wait until there is room for
    /// their keys and values.
    struct Decoding {
        var step: Double
        var waiting: Waiting
    }

    /// - Parameters:
    ///   - rate: requests per second.
    ///   - stretch: how many times as long steps take, for prompts between them.
    func decoding(_ costs: LayoutCosts, rate: Double, stretch: Double = 1) -> Decoding {
        let sequences = costs.sequences(rate: rate, stretch: stretch)
        let step = costs.step(max(sequences, 1)) * stretch
        let slots = Double(max(costs.batchLimit, 1))
        let use = min(rate * costs.meanSteps * step / slots, 0.999)
        // Sakasegawa's approximation of a queue before many servers.
        let chance = pow(use, (2 * (slots + 1)).squareRoot() - 1)
        let mean = costs.meanSteps * step * (1 + costs.stepVariation) / (2 * slots * (1 - use))
        return Decoding(step: step, waiting: Waiting(chance: chance, mean: mean))
    }

    /// - Parameters:
    ///   - prompts: of the prefill replica, at its whole rate.
    ///   - rate: requests per second that take the path.
    ///   - share: of all requests.
    /// - Returns: share of the requests that is in time in every respect.
    func attainment(
        _ prefill: LayoutCosts, _ prompts: PromptQueue.Outcome, path: KVPath, rate: Double = 0,
        share: Double = 1, decode: LayoutCosts, _ decoding: Decoding
    ) -> Double {
        var sum = 0.0
        let first = prompts.first
        let transfers = transfers(path, rate: rate, share: share)
        for (index, sample) in workload.samples.enumerated() where first[index] > 0 {
            guard sample.tokens <= decode.model.kvTokens else { continue }
            let start = prefill.latencies[index] + prompts.delay
            guard sample.output > 1 else {
                if start <= levels.e2e { sum += first[index] }
                continue
            }
            let steps = Double(sample.output - 1)
            let time = path.seconds(prompt: Double(sample.prompt)) + steps * decoding.step
            let slack = min(levels.tpot * steps, levels.e2e - start) - time
            guard slack >= 0 else { continue }
            sum +=
                first[index] * transfers.chance(within: slack)
                * decoding.waiting.chance(within: slack - transfers.overall)
        }
        return sum / Double(max(workload.samples.count, 1))
    }

    /// Before a path that takes one transfer after another (Kingman).
    private func transfers(_ path: KVPath, rate: Double, share: Double) -> Waiting {
        guard rate > 0 else { return Waiting(chance: 0, mean: 0) }
        var sum = 0.0
        var squares = 0.0
        for sample in workload.samples {
            let busy = path.busy(prompt: Double(sample.prompt))
            sum += busy
            squares += busy * busy
        }
        let count = Double(max(workload.samples.count, 1))
        let load = min(rate * sum / count, 0.999)
        let variation = squares * count / max(sum * sum, 1e-24) - 1
        return Waiting(
            chance: load, mean: sum / count * (min(1, share) + variation) / (2 * (1 - load)))
    }

    /// One replica that does both by turns: prompts go first, so sequences go on while none waits, and a
    /// prompt waits for the room of its whole sequence.
    ///
    /// - Parameter share: of all requests.
    func both(_ costs: LayoutCosts, rate: Double, share: Double) -> Double {
        let load = min(rate * costs.meanTurn, 0.999)
        let prompts = Waiting(
            chance: load, mean: costs.meanTurn * (min(1, share) + costs.turnVariation) / (2 * (1 - load)))
        let decoding = decoding(costs, rate: rate, stretch: 1 / (1 - load))
        // Of the time that work of one second takes between prompts: the variance of their busy periods.
        let spread =
            rate * costs.meanTurn * costs.meanTurn * (1 + costs.turnVariation) / pow(1 - load, 3)
        var sum = 0.0
        for (sample, latency) in zip(workload.samples, costs.latencies) {
            guard sample.tokens <= costs.model.kvTokens else { continue }
            let slack = levels.ttft - latency
            let first = prompts.chance(within: slack) * decoding.waiting.chance(within: slack)
            let steps = Double(sample.output - 1)
            let limit = min(levels.tpot * steps, levels.e2e - latency - prompts.overall)
            let deviation = (steps * decoding.step * (1 - load) * spread).squareRoot()
            let distance = limit - steps * decoding.step
            if deviation > 0 {
                sum += first * erfc(-distance / deviation / 2.0.squareRoot()) / 2
            } else if distance >= 0 {
                sum += first
            }
        }
        return sum / Double(max(workload.samples.count, 1))
    }

    /// The most requests per second that one replica can serve in both phases: every token in time, and room
    /// for the sequences that are then under way.
    func bothRate(_ costs: LayoutCosts) -> Double {
        guard costs.prefillRate > 0, costs.batch > 0 else { return 0 }
        var low = 0.0
        var high = 1 / costs.meanTurn
        for _ in 0..<20 {
            let rate = (low + high) / 2
            let stretch = 1 / (1 - min(rate * costs.meanTurn, 0.999))
            let sequences = costs.sequences(rate: rate, stretch: stretch)
            let step = costs.step(max(sequences, 1)) * stretch
            let fits = rate * costs.meanSteps * step <= Double(costs.batchLimit)
            if step <= levels.tpot, fits { low = rate } else { high = rate }
        }
        return low
    }
}
