internal import Oversubscription

/// A figure over several runs.
public struct Spread: Sendable, Hashable, Codable {
    public var mean: Double
    /// Sample standard deviation; 0 for one run.
    public var sd: Double
    public var min: Double
    public var max: Double

    /// - Parameter values: at least one.
    init(_ values: [Double]) {
        let moments = Moments(values)
        mean = moments.mean
        sd = moments.sampleDeviation
        min = values.min() ?? 0
        max = values.max() ?? 0
    }
}
