import Fleet

/// How many VMs of each size a cell holds.
struct ShapeMix: Sendable {
    private struct Entry: Sendable {
        var shape: Resources
        var count: Int
    }

    /// Sizes that count as usual.
    private static let usualLimit = 5

    /// Frequent sizes drift to the front, so that they are found at once; the order decides nothing.
    private var entries: [Entry] = []

    mutating func change(_ shape: Resources, by sign: Int) {
        guard let index = entries.firstIndex(where: { $0.shape == shape }) else {
            entries.append(Entry(shape: shape, count: sign))
            return
        }
        entries[index].count += sign
        if entries[index].count == 0 {
            entries.swapAt(index, entries.count - 1)
            entries.removeLast()
        } else if index > 0, entries[index - 1].count < entries[index].count {
            entries.swapAt(index - 1, index)
        }
    }

    /// The usual sizes with how often they are held, in the order of `usual`.
    var shares: [ShapeShare] {
        usual.map { shape in
            ShapeShare(shape, weight: entries.first { $0.shape == shape }?.count ?? 0)
        }
    }

    /// The most frequent size, of equally frequent ones the smallest.
    var mostFrequent: Resources? {
        entries.min {
            ($1.count, $0.shape.milliCPU, $0.shape.memoryMiB) < (
                $0.count, $1.shape.milliCPU, $1.shape.memoryMiB
            )
        }?.shape
    }

    /// The most frequent sizes, of equally frequent ones the smaller; the largest first.
    var usual: [Resources] {
        let frequent = entries.sorted {
            ($1.count, $0.shape.milliCPU, $0.shape.memoryMiB) < (
                $0.count, $1.shape.milliCPU, $1.shape.memoryMiB
            )
        }
        return frequent.prefix(Self.usualLimit).map(\.shape).sorted {
            ($1.milliCPU, $1.memoryMiB) < ($0.milliCPU, $0.memoryMiB)
        }
    }
}
