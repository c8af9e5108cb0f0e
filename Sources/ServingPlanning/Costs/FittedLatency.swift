/// Times of a replica that were fitted to measurements, as DistServe does (OSDI 2024, `time_estimator.py`):
/// what a baseline is simulated by where its authors published fits and no dimensions.
public struct FittedLatency: Sendable, Hashable {
    /// Milliseconds: constant, per token of the prompts, per sum of their squares.
    public var prefill: [Double]
    /// Milliseconds: constant, per token of all contexts, per sequence; below `largeBatch` sequences.
    public var decode: [Double]
    /// From `largeBatch` sequences on.
    public var largeDecode: [Double]
    /// Stages of the pipeline.
    public var stages = 1

    static let largeBatch = 95

    /// - Precondition: three coefficients each.
    public init(prefill: [Double], decode: [Double], largeDecode: [Double], stages: Int = 1) {
        precondition(
            [prefill, decode, largeDecode].allSatisfy { $0.count == 3 },
            "\(prefill.count), \(decode.count) and \(largeDecode.count) coefficients, 3 each expected")
        self.prefill = prefill
        self.decode = decode
        self.largeDecode = largeDecode
        self.stages = stages
    }

    /// Milliseconds of a batch of prompts.
    public func prefillMs(tokens: Double, squares: Double) -> Double {
        let count = Double(stages)
        return (prefill[0] + prefill[1] * tokens + prefill[2] * squares) / count + count
    }

    /// Milliseconds of a step.
    public func decodeMs(sequences: Int, context: Double) -> Double {
        let fit = sequences >= Self.largeBatch ? largeDecode : decode
        return (fit[0] + fit[1] * context + fit[2] * Double(sequences)) / Double(stages)
    }
}
