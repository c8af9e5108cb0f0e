/// Features as small integers, so that a split is found by counting.
struct BinnedTable {
    /// Bins of one feature; the first is for what is missing or below all thresholds.
    static let binLimit = 255

    /// By feature: the value up to which a row is in a bin or an earlier one, ascending, one less than bins.
    let thresholds: [[Float]]
    /// By feature, then row.
    let bins: [[UInt8]]

    init(_ columns: [[Float]]) {
        thresholds = columns.map(Self.thresholds)
        bins = zip(columns, thresholds).map { column, thresholds in
            column.map { UInt8(Self.bin(of: $0, thresholds)) }
        }
    }

    /// Half way between neighbouring values where those are few, else at even shares of the rows.
    private static func thresholds(_ column: [Float]) -> [Float] {
        let sorted = column.filter { !$0.isNaN }.sorted()
        var distinct: [(value: Float, last: Int)] = []
        for (index, value) in sorted.enumerated() {
            if distinct.last?.value == value {
                distinct[distinct.count - 1].last = index
            } else {
                distinct.append((value, index))
            }
        }
        guard distinct.count > 1 else { return [] }
        var thresholds: [Float] = []
        var nextShare = 1
        for (low, high) in zip(distinct, distinct.dropFirst()) {
            let isDue = (low.last + 1) * binLimit >= nextShare * sorted.count
            guard distinct.count <= binLimit || isDue else { continue }
            // Rounding may put the middle on the upper value, which would then go left.
            let middle = low.value + (high.value - low.value) / 2
            thresholds.append(middle < high.value ? middle : low.value)
            nextShare = (low.last + 1) * binLimit / sorted.count + 1
        }
        return Array(thresholds.prefix(binLimit - 1))
    }

    private static func bin(of value: Float, _ thresholds: [Float]) -> Int {
        guard !value.isNaN else { return 0 }
        var low = 0
        var high = thresholds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= thresholds[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
