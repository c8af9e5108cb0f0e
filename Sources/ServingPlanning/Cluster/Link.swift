/// A path for data: `seconds(n) = latency + n / bandwidth`.
public struct Link: Sendable, Hashable {
    /// Seconds.
    public var latency: Double
    /// Bytes per second.
    public var bandwidth: Double

    public init(latency: Double, bandwidth: Double) {
        self.latency = latency
        self.bandwidth = bandwidth
    }

    /// Seconds for so many bytes.
    public func seconds(_ bytes: Double) -> Double { latency + bytes / bandwidth }
}

/// `[µs, GB/s]`.
extension Link: Codable {
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        latency = try container.decode(Double.self) / 1e6
        bandwidth = try container.decode(Double.self) * 1e9
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(Self.rounded(latency * 1e6))
        try container.encode(Self.rounded(bandwidth / 1e9))
    }

    /// To a millionth of the unit, so that what was read is what is written.
    private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
}
