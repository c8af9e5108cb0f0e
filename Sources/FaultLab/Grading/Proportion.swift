/// A share of a few tries, with how far it may be trusted.
public struct Proportion: Sendable, Hashable, Codable {
    /// Nil of no try.
    public var value: Double?
    /// Tries.
    public var count: Int
    /// Bounds of 95 %: Wilson's interval, for means of shares too, which it is too wide for.
    public var low: Double?
    public var high: Double?

    /// - Parameter scores: 0 to 1 each.
    public init(_ scores: [Double]) {
        count = scores.count
        guard count > 0 else { return }
        let n = Double(count)
        let mean = scores.reduce(0) { $0 + min(1, max(0, $1)) } / n
        (low, high) = Self.interval(mean, n)
        value = mean
    }

    private init(value: Double?, count: Int, low: Double?, high: Double?) {
        self.value = value
        self.count = count
        self.low = low
        self.high = high
    }

    /// The mean of two shares, each with the same weight however many tries it has; nil when one has none.
    static func balanced(_ first: Proportion, _ second: Proportion) -> Proportion {
        let count = first.count + second.count
        guard let a = first.value, let b = second.value else {
            return Proportion(value: nil, count: count, low: nil, high: nil)
        }
        // The variance of a mean of two: a quarter of the sum, as of so many tries of one share.
        let value = (a + b) / 2
        let (n, m) = (Double(first.count), Double(second.count))
        let (low, high) = interval(value, 4 / (1 / n + 1 / m))
        return Proportion(value: value, count: count, low: low, high: high)
    }

    /// E. B. Wilson, JASA 22 (1927).
    private static func interval(_ mean: Double, _ n: Double) -> (Double, Double) {
        let z = 1.959_963_984_540_054
        let scale = 1 + z * z / n
        let centre = (mean + z * z / (2 * n)) / scale
        let spread = z * (mean * (1 - mean) / n + z * z / (4 * n * n)).squareRoot() / scale
        return (max(0, centre - spread), min(1, centre + spread))
    }
}
