/// Observations by bucket, and their sum.
public struct HistogramSeries: Sendable, Equatable {
    /// Upper bounds, rising.
    public let bounds: [Double]
    /// Per bound, not cumulated; the last is beyond every bound.
    public private(set) var counts: [Int]
    public private(set) var sum: Double = 0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// - Parameter counts: one more than there are bounds.
    public init(bounds: [Double], counts: [Int], sum: Double) {
        precondition(counts.count == bounds.count + 1, "\(counts.count) counts for \(bounds.count) bounds")
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}
