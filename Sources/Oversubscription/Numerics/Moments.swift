/// Mean and squared deviations of values, one pass each, so that large means do not eat the deviations.
public struct Moments: Sendable, Hashable {
    public let count: Int
    public let mean: Double
    private let squares: Double

    public init(_ values: [Double]) {
        let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
        count = values.count
        self.mean = mean
        squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }

    /// Of the values themselves; 0 without values.
    public var populationVariance: Double { count == 0 ? 0 : squares / Double(count) }

    /// Of what the values are a sample of; 0 below two values.
    public var sampleDeviation: Double { count < 2 ? 0 : (squares / Double(count - 1)).squareRoot() }
}
