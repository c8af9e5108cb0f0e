/// Times and room of one layout, whatever the workload.
public struct LayoutModel: Sendable {
    public let layout: Layout
    private let blocks: [BlockCosts]
    /// From each stage to the next.
    private let hops: [Link]
    private let activationBytes: Double
    private let settings: CostSettings
    /// Tokens whose keys and values fit beside the weights.
    public let kvTokens: Int

    /// - Returns: nil when a block is impossible or the weights do not fit.
    public init?(_ layout: Layout, on hardware: ServingHardware) {
        guard !layout.stages.isEmpty else { return nil }
        var blocks: [BlockCosts] = []
        var tokens = Double.infinity
        for (index, stage) in layout.stages.enumerated() {
            guard stage.layers >= 1, let block = hardware.block(node: stage.node, tensor: stage.tensor)
            else { return nil }
            blocks.append(block)
            let free =
                hardware.usableBytes(node: stage.node, tensor: stage.tensor)
                - Double(stage.layers) * hardware.layerBytes
                - hardware.headBytes(stage: index, of: layout.stages.count)
            tokens = min(tokens, free / (Double(stage.layers) * hardware.kvBytes))
        }
        guard tokens >= 0, layout.stages.reduce(0, { $0 + $1.layers }) == hardware.model.layers else {
            return nil
        }
        self.layout = layout
        self.blocks = blocks
        hops = zip(layout.stages, layout.stages.dropFirst()).map { hardware.link($0.node, $1.node) }
        activationBytes = Double(hardware.model.hidden) * 2
        settings = hardware.settings
        kvTokens = Int(tokens)
    }

    /// A batch of prompts on one stage, seconds.
    func prefill(stage: Int, tokens: Double, squares: Double) -> Double {
        Double(layout.stages[stage].layers) * blocks[stage].prefill(tokens: tokens, squares: squares)
            + settings.stepSeconds + (stage == blocks.count - 1 ? blocks[stage].head : 0)
    }

    /// Sending the activations of so many tokens on from a stage, seconds.
    func hop(after stage: Int, tokens: Double) -> Double {
        hops[stage].seconds(tokens * activationBytes)
    }

    /// A batch of prompts in a pipeline, seconds.
    public struct PrefillTimes: Sendable {
        /// Through all stages.
        public var latency = 0.0
        /// After which the next batch can follow.
        public var bottleneck = 0.0
        /// In each stage, and from each to the next.
        public var passing: [Double] = []
        public var sending: [Double] = []
    }

    public func prefill(tokens: Double, squares: Double) -> PrefillTimes {
        var times = PrefillTimes()
        for stage in blocks.indices {
            let time = prefill(stage: stage, tokens: tokens, squares: squares)
            let send = stage < hops.count ? hop(after: stage, tokens: tokens) : 0
            times.latency += time + send
            times.bottleneck = max(times.bottleneck, time, send)
            times.passing.append(time)
            times.sending.append(send)
        }
        return times
    }

    /// Time from a token of a sequence to its next, seconds, with `sequences` under way at once: they pass
    /// the stages in as many batches as there are stages.
    ///
    /// - Parameter context: tokens of all contexts together.
    public func step(sequences: Double, context: Double) -> Double {
        let count = Double(blocks.count)
        let share = max(1, sequences / count)
        let shareContext = context * share / max(sequences, 1e-9)
        var sum = 0.0
        var slowest = 0.0
        for stage in blocks.indices {
            var time =
                Double(layout.stages[stage].layers)
                * blocks[stage].decode(sequences: share, context: shareContext) + settings.stepSeconds
            if stage == blocks.count - 1 { time += blocks[stage].head }
            let send = stage < hops.count ? hop(after: stage, tokens: share) : 0
            sum += time + send
            slowest = max(slowest, time, send)
        }
        return sequences >= count ? max(sum, count * slowest) : sum
    }

    /// What every step takes longer when prompts are mixed in, seconds.
    ///
    /// - Parameters:
    ///   - tokens: of prompts per step.
    ///   - prompt: length that a prompt has.
    public func mixed(tokens: Double, prompt: Double) -> Double {
        blocks.indices.reduce(0) {
            $0 + Double(layout.stages[$1].layers) * blocks[$1].mixed(tokens: tokens, prompt: prompt)
        }
    }
}
