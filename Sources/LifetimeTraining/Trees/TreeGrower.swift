import VMPlacement

/// Grows one tree on the residuals of the trees before it, the most useful leaf first.
struct TreeGrower {
    private struct Leaf {
        var node: Int
        var depth: Int
        var range: Range<Int>
        var histogram: Histogram
        var sums: Histogram.Sums
        var split: Histogram.Split?
    }

    private let table: BinnedTable
    private let weights: [Float]
    private let settings: TrainingSettings
    private var rows: [Int32] = []
    private var residuals: [Float] = []

    init(_ table: BinnedTable, weights: [Float], settings: TrainingSettings) {
        self.table = table
        self.weights = weights
        self.settings = settings
    }

    /// A tree whose answers are shrunk already.
    mutating func grow(on rows: [Int32], residuals: [Float]) -> [TreeEnsemble.Node] {
        self.rows = rows
        self.residuals = residuals
        var nodes = [TreeEnsemble.Node.leaf(0)]
        var leaves = [leaf(0, depth: 0, 0..<rows.count)]
        while leaves.count < settings.leaves, let index = mostUseful(leaves), let split = leaves[index].split
        {
            let parent = leaves.remove(at: index)
            let (left, right) = part(parent, split, node: nodes.count)
            nodes[parent.node] = TreeEnsemble.Node(
                feature: split.feature, left: nodes.count, value: table.thresholds[split.feature][split.bin])
            nodes += [.leaf(0), .leaf(0)]
            leaves += [left, right]
        }
        for leaf in leaves { nodes[leaf.node] = .leaf(Float(leaf.sums.answer * settings.shrinkage)) }
        return nodes
    }

    /// The first of equals.
    private func mostUseful(_ leaves: [Leaf]) -> Int? {
        var best: (index: Int, gain: Double)?
        for (index, leaf) in leaves.enumerated() {
            guard let gain = leaf.split?.gain, gain > best?.gain ?? 0 else { continue }
            best = (index, gain)
        }
        return best?.index
    }

    private func leaf(_ node: Int, depth: Int, _ range: Range<Int>, _ known: Histogram? = nil) -> Leaf {
        let histogram =
            known ?? Histogram(table, rows: rows[range], residuals: residuals, weights: weights)
        var sums = Histogram.Sums()
        for row in rows[range] {
            sums.residual += Double(residuals[Int(row)] * weights[Int(row)])
            sums.weight += Double(weights[Int(row)])
            sums.count += 1
        }
        let split =
            depth < settings.depth ? histogram.bestSplit(of: sums, least: settings.leastExamples) : nil
        return Leaf(
            node: node, depth: depth, range: range, histogram: histogram, sums: sums, split: split)
    }

    /// Both children; only the smaller one is counted, the other is the rest.
    private mutating func part(_ parent: Leaf, _ split: Histogram.Split, node: Int) -> (Leaf, Leaf) {
        let middle = partition(parent.range, table.bins[split.feature], split.bin)
        let left = parent.range.lowerBound..<middle
        let right = middle..<parent.range.upperBound
        let depth = parent.depth + 1
        if left.count <= right.count {
            let low = leaf(node, depth: depth, left)
            return (low, leaf(node + 1, depth: depth, right, parent.histogram - low.histogram))
        }
        let high = leaf(node + 1, depth: depth, right)
        return (leaf(node, depth: depth, left, parent.histogram - high.histogram), high)
    }

    /// Rows that go left before those that go right, each in their order, so that sums are the same
    /// everywhere.
    private mutating func partition(_ range: Range<Int>, _ bins: [UInt8], _ bin: Int) -> Int {
        var right: [Int32] = []
        var middle = range.lowerBound
        for index in range {
            let row = rows[index]
            if Int(bins[Int(row)]) <= bin {
                rows[middle] = row
                middle += 1
            } else {
                right.append(row)
            }
        }
        rows.replaceSubrange(middle..<range.upperBound, with: right)
        return middle
    }
}
