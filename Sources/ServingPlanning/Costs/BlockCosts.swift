internal import Foundation

/// What one layer costs on a block of equal GPUs that share it (tensor parallelism): the coefficients of
/// prompt and token, seconds.
public struct BlockCosts: Sendable, Hashable {
    /// Matrix work per token.
    public var token: Double
    /// Attention of a prompt, per squared token.
    public var square: Double
    /// Reading weights that every token needs.
    public var sharedWeights: Double
    /// Reading all experts; a step reads those that its tokens chose.
    public var routedWeights: Double
    /// Share of the experts that one token chooses.
    public var expertShare: Double
    /// Reading keys and values, per token of context.
    public var context: Double
    /// Two sums over the block: their latency, and their data per token.
    public var reduction: Double
    public var reductionToken: Double
    public var overhead: Double
    /// The output head, per step.
    public var head: Double

    /// - Returns: nil where the GPU lacks the kernels of the precision.
    public init?(
        _ gpu: GPUType, tensor: Int, intra: Link, model: ModelShape, precision: ServingPrecision,
        settings: CostSettings
    ) {
        guard let flops = precision.weights.flops(gpu), precision.kvCacheBits >= 16 || gpu.fp8 else {
            return nil
        }
        let calibration = settings.calibration(gpu)
        let compute = flops * Double(tensor)
        let bandwidth = gpu.bandwidthGBps * 1e9 * Double(tensor)
        let perWeight = precision.weights.bytesPerWeight / (bandwidth * calibration.weightMBU)
        token = 2 * model.activeLayerParameters / (compute * calibration.prefillMFU)
        square = 2 * Double(model.heads * model.headDimension) / (compute * settings.attentionMFU)
        sharedWeights = model.sharedLayerParameters * perWeight
        routedWeights = model.routedLayerParameters * perWeight
        expertShare = model.expertShare
        context = model.kvElements * Double(precision.kvCacheBits) / 8 / (bandwidth * settings.kvReadMBU)
        overhead = settings.layerSeconds
        head = settings.countsHead ? model.headParameters * 2 / (settings.headMBU * bandwidth) : 0
        reduction = tensor > 1 ? 2 * intra.latency : 0
        // A ring sends 2 (t - 1) / t of the data; activations have two bytes.
        let ring = 2 * Double(tensor - 1) / Double(tensor)
        reductionToken = 2 * ring * Double(model.hidden) * 2 / intra.bandwidth
    }

    /// Weights that a step of so many tokens reads.
    private func weights(_ tokens: Double) -> Double {
        guard routedWeights > 0 else { return sharedWeights }
        return sharedWeights + routedWeights * (1 - pow(1 - expertShare, tokens))
    }

    /// One layer of a batch of prompts.
    ///
    /// - Parameters:
    ///   - tokens: of all prompts together.
    ///   - squares: the sum of the squares of their lengths.
    public func prefill(tokens: Double, squares: Double) -> Double {
        max(token * tokens + square * squares, weights(tokens)) + reduction + reductionToken * tokens
            + overhead
    }

    /// One layer of one step of decoding.
    ///
    /// - Parameters:
    ///   - sequences: that get a token each.
    ///   - context: tokens of all their contexts together.
    public func decode(sequences: Double, context total: Double) -> Double {
        max(weights(sequences) + context * total, token * sequences) + reduction
            + reductionToken * sequences + overhead
    }

    /// What prompts cost that share steps with decoding, seconds per layer: work alone, for weights are read
    /// anyway.
    public func mixed(tokens: Double, prompt: Double) -> Double {
        token * tokens + square * tokens * prompt + reductionToken * tokens
    }
}
