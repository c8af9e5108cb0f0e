/// How weights are stored and multiplied.
public enum WeightFormat: String, Sendable, Hashable, Codable, CaseIterable {
    case fp16, fp8, fp4
    /// Four bits with scales, multiplied as 16 bits.
    case awq4

    /// Scales included.
    public var bytesPerWeight: Double {
        switch self {
        case .fp16: 2
        case .fp8: 1
        case .fp4, .awq4: 0.5625
        }
    }

    /// Dense operations per second; nil where the GPU has no kernels of the format.
    public func flops(_ gpu: GPUType) -> Double? {
        switch self {
        case .fp16, .awq4: gpu.denseTFLOPS * 1e12
        case .fp8: gpu.fp8TFLOPS.map { $0 * 1e12 }
        case .fp4: gpu.fp4TFLOPS.map { $0 * 1e12 }
        }
    }
}

/// Bits of a deployment; the same on both sides of every transfer.
public struct ServingPrecision: Sendable, Hashable, Codable {
    public var weights: WeightFormat
    /// Of the cache in memory; 8 needs GPUs with 8-bit kernels.
    public var kvCacheBits: Int
    /// Of keys and values on their way from prefill to decode: 4, 8 or 16.
    public var kvTransferBits: Int

    public init(weights: WeightFormat = .fp16, kvCacheBits: Int = 16, kvTransferBits: Int = 16) {
        self.weights = weights
        self.kvCacheBits = kvCacheBits
        self.kvTransferBits = kvTransferBits
    }

    /// Elements that share a scale and a zero point, 32 bits together, when fewer than 16 bits travel.
    static let quantisationGroup = 64.0

    /// Bytes of one element on its way.
    var transferBytes: Double {
        let bits = Double(min(kvTransferBits, kvCacheBits))
        let isQuantised = kvTransferBits < kvCacheBits
        return (bits + (isQuantised ? 32 / Self.quantisationGroup : 0)) / 8
    }

    func validate() throws(ServingError) {
        guard [8, 16].contains(kvCacheBits), [4, 8, 16].contains(kvTransferBits) else {
            throw ServingError(.settings, "KV bits: 4, 8 or 16 on the way, 8 or 16 in memory expected")
        }
    }
}
