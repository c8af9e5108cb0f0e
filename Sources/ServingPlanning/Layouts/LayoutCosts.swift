internal import Foundation

/// What one layout does for one workload.
public struct LayoutCosts: Sendable {
    public let model: LayoutModel
    /// Of each sampled request as a prompt, seconds: through all stages, overheads included.
    let latencies: [Double]
    /// The same stage by stage, sample after sample: in the stage, and on the way to the next one.
    let passing: [Double]
    let sending: [Double]
    /// What a request spends before and after its prompt, seconds.
    let request: Double
    /// Seconds that a prompt takes a replica of both phases away from its sequences: all stages, for the next
    /// step follows after the last. Mean, and squared coefficient of variation.
    public let meanTurn: Double
    public let turnVariation: Double
    /// Prompts per second at most; 0 when one in a hundred prompts, or more, does not fit.
    public let prefillRate: Double
    /// Sequences whose keys and values fit at once, those that stay longer counted more.
    public let batchLimit: Int
    /// Sequences at once, of which the time per token is in time; 0 when not even one is.
    public let batch: Int
    /// Time per token at `batch`, seconds.
    public let stepSeconds: Double
    /// Requests per second at most.
    public let decodeRate: Double
    /// Steps of a request after its first token: mean, and squared coefficient of variation.
    let meanSteps: Double
    let stepVariation: Double
    /// Tokens of a sequence, mean over the steps of all.
    let meanContext: Double

    public init(_ model: LayoutModel, workload: ServingWorkload, levels: ServiceLevels, request: Double) {
        self.model = model
        var latencies: [Double] = []
        var services: [Double] = []
        var passing: [Double] = []
        var sending: [Double] = []
        for sample in workload.samples {
            let prompt = Double(sample.prompt)
            let times = model.prefill(tokens: prompt, squares: prompt * prompt)
            latencies.append(times.latency + request)
            services.append(times.bottleneck)
            passing += times.passing
            sending += times.sending
        }
        (self.latencies, self.passing, self.sending, self.request) = (latencies, passing, sending, request)
        let mean = services.reduce(0, +) / Double(max(services.count, 1))
        let turn = latencies.reduce(0) { $0 + $1 - request } / Double(max(latencies.count, 1))
        meanTurn = turn
        let turns = latencies.reduce(0) { $0 + ($1 - request - turn) * ($1 - request - turn) }
        turnVariation = turns / Double(max(latencies.count, 1)) / (turn * turn)
        let room = Double(model.kvTokens)
        prefillRate = room >= Self.nearlyMost(workload.samples.map(\.prompt)) ? 1 / mean : 0
        let residence = Residence(workload)
        meanSteps = residence.steps
        stepVariation = residence.variation
        let context = residence.context
        meanContext = context
        // A sequence waits until room for all of its tokens is free in one piece of the queue: half of one
        // is lost on the mean.
        let slots = max(0, room / residence.tokens - 0.5)
        batchLimit =
            room >= Self.nearlyMost(workload.samples.map(\.tokens)) ? max(1, Int(slots)) : 0
        batch = Self.largest(upTo: batchLimit) {
            model.step(sequences: Double($0), context: Double($0) * context) <= levels.tpot
        }
        stepSeconds =
            batch > 0 ? model.step(sequences: Double(batch), context: Double(batch) * context) : 0
        decodeRate = batch > 0 ? Double(batch) / (stepSeconds * max(residence.steps, 1)) : 0
    }

    /// What 99 of 100 values are at most.
    private static func nearlyMost(_ values: [Int]) -> Double {
        let sorted = values.sorted()
        return Double(sorted.isEmpty ? 0 : sorted[(sorted.count * 99 + 99) / 100 - 1])
    }

    /// Time per token with so many sequences of mean context, seconds.
    func step(_ sequences: Double) -> Double {
        model.step(sequences: sequences, context: sequences * meanContext)
    }

    /// The largest number from 1 on that holds; 0 when 1 does not. What holds for a number holds below it.
    static func largest(upTo limit: Int, _ holds: (Int) -> Bool) -> Int {
        guard limit >= 1, holds(1) else { return 0 }
        var low = 1
        var high = limit
        while low < high {
            let middle = (low + high + 1) / 2
            if holds(middle) { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Sequences under way when so many requests per second come (Little), with every step `stretch` times
    /// as long; at most `batchLimit`.
    func sequences(rate: Double, stretch: Double = 1) -> Double {
        var low = 0.0
        var high = Double(max(batchLimit, 1))
        // The demand grows slower than the number under way: one crossing.
        for _ in 0..<24 {
            let middle = (low + high) / 2
            if rate * meanSteps * step(max(middle, 1)) * stretch > middle {
                low = middle
            } else {
                high = middle
            }
        }
        return high
    }
}

/// How long sequences stay and how much room they take, by the steps that they need.
private struct Residence {
    /// After the first token, mean.
    var steps = 0.0
    /// Squared coefficient of variation of the steps.
    var variation = 0.0
    /// Tokens of a sequence at a step, mean over all steps.
    var context = 1.0
    /// Tokens that a sequence has room for, mean over all steps.
    var tokens = 1.0

    init(_ workload: ServingWorkload) {
        var squares = 0.0
        var contexts = 0.0
        var rooms = 0.0
        for sample in workload.samples {
            let own = Double(sample.output - 1)
            steps += own
            squares += own * own
            contexts += own * (Double(sample.prompt) + Double(sample.output) / 2)
            rooms += own * Double(sample.tokens)
        }
        guard steps > 0 else {
            tokens = workload.meanPrompt + 1
            context = tokens
            return
        }
        context = contexts / steps
        tokens = rooms / steps
        let count = Double(workload.samples.count)
        steps /= count
        variation = squares / count / (steps * steps) - 1
    }
}
