/// Sums of residuals over the rows of a leaf, per feature and bin.
struct Histogram {
    struct Sums {
        var residual = 0.0
        var weight = 0.0
        var count = 0

        static func - (lhs: Sums, rhs: Sums) -> Sums {
            Sums(
                residual: lhs.residual - rhs.residual, weight: lhs.weight - rhs.weight,
                count: lhs.count - rhs.count)
        }

        static func + (lhs: Sums, rhs: Sums) -> Sums {
            Sums(
                residual: lhs.residual + rhs.residual, weight: lhs.weight + rhs.weight,
                count: lhs.count + rhs.count)
        }

        /// What the leaf lowers the square error by if it answers the mean, which is drawn to 0 as by one VM
        /// more.
        var gain: Double { residual * residual / (weight + Self.drawn) }
        var answer: Double { residual / (weight + Self.drawn) }

        private static let drawn = 1.0
    }

    /// Where a leaf is best parted.
    struct Split {
        var feature: Int
        /// Last bin that goes left.
        var bin: Int
        var gain: Double
    }

    /// By feature, then bin.
    private var sums: [[Sums]]

    init(_ table: BinnedTable, rows: ArraySlice<Int32>, residuals: [Float], weights: [Float]) {
        sums = table.bins.indices.map { feature in
            let bins = table.bins[feature]
            var sums = [Sums](repeating: Sums(), count: table.thresholds[feature].count + 1)
            for row in rows {
                let bin = Int(bins[Int(row)])
                let weight = weights[Int(row)]
                sums[bin].residual += Double(residuals[Int(row)] * weight)
                sums[bin].weight += Double(weight)
                sums[bin].count += 1
            }
            return sums
        }
    }

    /// What is left of a leaf without one of its parts.
    static func - (whole: Histogram, part: Histogram) -> Histogram {
        var rest = whole
        for feature in rest.sums.indices {
            for bin in rest.sums[feature].indices {
                rest.sums[feature][bin] = whole.sums[feature][bin] - part.sums[feature][bin]
            }
        }
        return rest
    }

    /// The split that lowers the error most, the first of equals; nil when none does with `least` rows on
    /// either side.
    func bestSplit(of total: Sums, least: Int) -> Split? {
        var best: Split?
        for (feature, sums) in sums.enumerated() {
            var left = Sums()
            for bin in sums.indices.dropLast() {
                left = left + sums[bin]
                let right = total - left
                guard left.count >= least else { continue }
                guard right.count >= least else { break }
                let gain = left.gain + right.gain - total.gain
                // Below this it is rounding.
                guard gain > max(best?.gain ?? 0, Self.leastGain) else { continue }
                best = Split(feature: feature, bin: bin, gain: gain)
            }
        }
        return best
    }

    private static let leastGain = 1e-9
}
