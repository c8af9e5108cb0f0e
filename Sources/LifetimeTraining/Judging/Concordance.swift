import VMPlacement

/// Pairs of VMs in the order that was predicted for them.
struct Concordance {
    private var concordant: Int64 = 0
    private var tied: Int64 = 0
    private var comparable: Int64 = 0

    /// A pair is comparable when the one that was seen for less time has ended; of two with the same time,
    /// when one ended and the other did not.
    init(lifetimes: [LifetimeObservation], predictions: [Double]) {
        let ranks = Self.ranks(predictions)
        let order = lifetimes.indices.sorted { lifetimes[$0].seconds > lifetimes[$1].seconds }
        var longer = RankCounts(size: (ranks.max() ?? 0) + 1)
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, lifetimes[order[end]].seconds == lifetimes[order[start]].seconds {
                end += 1
            }
            // Of equal times, those that still run outlive those that ended.
            let equal = order[start..<end]
            for index in equal where !lifetimes[index].hasEnded { longer.add(ranks[index]) }
            for index in equal where lifetimes[index].hasEnded {
                let below = longer.count(below: ranks[index])
                let same = longer.count(below: ranks[index] + 1) - below
                comparable += longer.all
                tied += same
                concordant += longer.all - below - same
            }
            for index in equal where lifetimes[index].hasEnded { longer.add(ranks[index]) }
            start = end
        }
    }

    /// From 0 to 1, .5 by chance; nil without a comparable pair.
    var share: Double? {
        comparable > 0 ? (Double(concordant) + Double(tied) / 2) / Double(comparable) : nil
    }

    /// Equal predictions have equal ranks.
    private static func ranks(_ values: [Double]) -> [Int] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Int](repeating: 0, count: values.count)
        var rank = 0
        for (position, index) in order.enumerated() {
            if position > 0, values[index] > values[order[position - 1]] { rank += 1 }
            ranks[index] = rank
        }
        return ranks
    }
}

/// Counts per rank with sums in logarithmic time (Fenwick 1994).
private struct RankCounts {
    private var sums: [Int64]
    private(set) var all: Int64 = 0

    init(size: Int) { sums = Array(repeating: 0, count: size + 1) }

    mutating func add(_ rank: Int) {
        all += 1
        var index = rank + 1
        while index < sums.count {
            sums[index] += 1
            index += index & -index
        }
    }

    func count(below rank: Int) -> Int64 {
        var sum: Int64 = 0
        var index = rank
        while index > 0 {
            sum += sums[index]
            index -= index & -index
        }
        return sum
    }
}
