import Fleet

/// How many VMs of each size a cell holds.
struct ShapeMix: Sendable {
    /// Sizes that count as usual.
    static let usualLimit = 5

    private var counts: [Resources: Int] = [:]

    mutating func change(_ shape: Resources, by sign: Int) {
        let count = (counts[shape] ?? 0) + sign
        counts[shape] = count > 0 ? count : nil
    }

    /// The most frequent sizes, the largest first; of equally frequent ones the smaller.
    var usual: [Resources] {
        var best: [(shape: Resources, count: Int)] = []
        // Ordered by count and size, so the order of the dictionary does not show.
        for (shape, count) in counts {
            let index = best.firstIndex {
                ($0.count, shape.milliCPU, shape.memoryMiB) < (count, $0.shape.milliCPU, $0.shape.memoryMiB)
            }
            best.insert((shape, count), at: index ?? best.count)
            if best.count > Self.usualLimit { best.removeLast() }
        }
        return best.map(\.shape).sorted { ($1.milliCPU, $1.memoryMiB) < ($0.milliCPU, $0.memoryMiB) }
    }
}
