/// Percentiles by linear interpolation between ranks, `h = (n − 1) q`, as NumPy does by default.
public enum Percentile {
    /// - Parameters:
    ///   - q: from 0, the least, to 1, the greatest.
    ///   - values: in any order.
    /// - Returns: 0 when there are no values.
    public static func of(_ values: [Double], _ q: Double) -> Double { ofSorted(values.sorted(), q) }

    /// As `of`, for values in ascending order.
    public static func ofSorted(_ values: [Double], _ q: Double) -> Double {
        guard let last = values.last else { return 0 }
        let rank = Double(values.count - 1) * min(max(q, 0), 1)
        let below = Int(rank)
        guard below + 1 < values.count else { return last }
        return values[below] + (values[below + 1] - values[below]) * (rank - Double(below))
    }
}
