/// A kind of GPU: what its data sheet says and how much of that serving engines reach.
public struct GPUType: Sendable, Hashable, Codable {
    /// Such as `A100-80-SXM`.
    public var name: String
    /// Of the data sheet, 10⁹ bytes.
    public var memoryGB: Double
    /// 10⁹ bytes per second.
    public var bandwidthGBps: Double
    /// Dense, with 16-bit inputs and 32-bit sums; data sheets often give twice that, for sparse matrices.
    public var denseTFLOPS: Double
    /// Nil where the kernels of 8 bits are missing.
    public var fp8TFLOPS: Double?
    /// Nil where the kernels of 4 bits are missing.
    public var fp4TFLOPS: Double?
    /// Such as `NVLink4` or `PCIe4`.
    public var link: String
    /// Of the link between GPUs of one machine, one direction.
    public var linkGBps: Double
    public var pcieGBps: Double
    public var tdpWatts: Double?
    public var bf16: Bool
    public var fp8: Bool
    /// Share of the peak that the matrices of a long prompt reach.
    public var prefillMFU: Double
    /// Share of the bandwidth at which weights are read.
    public var decodeMBU: Double
    /// A series; the last of a kind is the latest.
    public var prices: [GPUPrice]
    /// Where memory, bandwidth, peaks and links come from.
    public var specificationSource: String
    /// Where `prefillMFU` and `decodeMBU` come from.
    public var calibrationSource: String
    /// How far the numbers are to be trusted: high, medium or low.
    public var confidence: String

    /// Bytes.
    public var memoryBytes: Double { memoryGB * 1e9 }

    public var hasNVLink: Bool { link.hasPrefix("NVLink") && linkGBps > pcieGBps }

    /// Dollars per hour of one: the latest on a marketplace, or else the latest list price.
    public var usualPrice: Double? {
        (prices.last { $0.kind == .marketplace } ?? prices.last { $0.kind == .onDemand })?.usdPerHour
    }
}

/// What one GPU cost once.
public struct GPUPrice: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable { case onDemand, marketplace }

    public var kind: Kind
    public var usdPerHour: Double
    /// Where it was seen.
    public var source: String
    /// Month, such as `2026-03`; nil when the source does not say.
    public var observed: String?
}
