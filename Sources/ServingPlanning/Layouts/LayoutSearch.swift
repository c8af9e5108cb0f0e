/// Chooses stages, their order and their layers for a group: what is best for the phase.
struct LayoutSearch {
    let hardware: ServingHardware
    let workload: ServingWorkload
    let levels: ServiceLevels
    /// Stages of a pipeline at most; more look free to a formula and are not.
    let maxStages: Int

    /// - Returns: nil when the group cannot hold the model, or has no room for the phase.
    func best(_ shape: GroupShape, for phase: Phase) -> LayoutCosts? {
        guard canHold(shape) else { return nil }
        var best: (costs: LayoutCosts, score: Double)?
        for choice in tensorChoices(shape) {
            let stages = ordered(choice)
            for layers in partitions(stages, for: phase) {
                let layout = Layout(
                    stages: zip(stages, layers).map {
                        Stage(node: $0.node, tensor: $0.tensor, layers: $1)
                    })
                guard let model = LayoutModel(layout, on: hardware) else { continue }
                let costs = LayoutCosts(
                    model, workload: workload, levels: levels, request: hardware.settings.requestSeconds)
                guard let score = score(costs, phase) else { continue }
                if best.map({ score > $0.score * (1 + 1e-12) }) ?? true { best = (costs, score) }
            }
        }
        return best?.costs
    }

    /// Weights and a tenth more, before anything is looked at closely.
    func canHold(_ shape: GroupShape) -> Bool {
        let usable = shape.shares.reduce(0.0) {
            $0 + hardware.usableBytes(node: $1.node, tensor: $1.count)
        }
        return usable >= 1.1 * Double(hardware.model.layers) * hardware.layerBytes
    }

    private typealias Block = (node: Int, tensor: Int)

    /// Every way to cut each node's GPUs into equal blocks, with at most `maxStages` blocks together.
    private func tensorChoices(_ shape: GroupShape) -> [[Block]] {
        var choices: [[Block]] = [[]]
        for share in shape.shares {
            var longer: [[Block]] = []
            for tensor in ServingHardware.tensorSizes where share.count % tensor == 0 {
                guard hardware.block(node: share.node, tensor: tensor) != nil else { continue }
                let blocks = [Block](repeating: (share.node, tensor), count: share.count / tensor)
                for choice in choices where choice.count + blocks.count <= maxStages {
                    longer.append(choice + blocks)
                }
            }
            choices = longer
        }
        return choices
    }

    private func ordered(_ blocks: [Block]) -> [Block] {
        guard Set(blocks.map(\.node)).count > 1 else { return blocks }
        return StageOrder.widest(blocks.map(\.node), link: hardware.link).map { blocks[$0] }
    }

    /// Layers by speed; for decoding also by memory, for there the cache may be what is short.
    private func partitions(_ stages: [Block], for phase: Phase) -> [[Int]] {
        let layers = hardware.model.layers
        guard stages.count > 1 else { return [[layers]] }
        let room = stages.indices.map { index in
            hardware.usableBytes(node: stages[index].node, tensor: stages[index].tensor)
                - hardware.headBytes(stage: index, of: stages.count)
        }
        let bySpeed = stages.map { speed($0, phase) }
        // What is kept free for keys and values: a tenth for prefill, and for decoding as much as there is.
        let shares: [Double] = phase == .prefill ? [0.1, 0] : [0.5, 0.3, 0]
        var found: [[Int]] = []
        for (index, speeds) in [bySpeed, room].enumerated() where index == 0 || phase != .prefill {
            for share in shares {
                let caps = room.map { max(0, min(layers, Int($0 * (1 - share) / hardware.layerBytes))) }
                guard let counts = LayerPartition.proportional(layers: layers, speeds: speeds, caps: caps)
                else { continue }
                if !found.contains(counts) { found.append(counts) }
                break
            }
        }
        return found
    }

    /// Layers per second at the mean request; for decoding at a batch that is usual.
    private func speed(_ block: Block, _ phase: Phase) -> Double {
        guard let costs = hardware.block(node: block.node, tensor: block.tensor) else { return 1 }
        let prompt = workload.meanPrompt
        guard phase != .prefill else { return 1 / costs.prefill(tokens: prompt, squares: prompt * prompt) }
        let usual = 16.0
        return 1 / costs.decode(sequences: usual, context: usual * (prompt + workload.meanOutput / 2))
    }

    /// Prefill: the shortest time of a request. Decoding: tokens per second, as far as they are in time.
    private func score(_ costs: LayoutCosts, _ phase: Phase) -> Double? {
        switch phase {
        case .prefill:
            guard costs.prefillRate > 0 else { return nil }
            return Double(costs.latencies.count) / costs.latencies.reduce(0, +)
        case .decode, .both:
            guard costs.batchLimit >= 1 else { return nil }
            guard costs.batch == 0 else { return costs.decodeRate }
            return 0.001 * Double(costs.batchLimit) / costs.step(Double(costs.batchLimit))
        }
    }
}
