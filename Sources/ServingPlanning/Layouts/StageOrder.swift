/// The order in which a pipeline passes its stages.
enum StageOrder {
    /// The order whose narrowest link is widest; of equals the one with the least latency, then the first.
    ///
    /// - Parameters:
    ///   - nodes: of each stage, at most 16.
    ///   - link: from node to node.
    /// - Returns: positions of `nodes`.
    static func widest(_ nodes: [Int], link: (Int, Int) -> Link) -> [Int] {
        let count = nodes.count
        guard count > 1 else { return Array(nodes.indices) }
        let masks = 1 << count
        var best = [Path?](repeating: nil, count: masks * count)
        for last in 0..<count { best[(1 << last) * count + last] = Path() }
        for mask in 1..<masks {
            for last in 0..<count {
                guard let path = best[mask * count + last] else { continue }
                for next in 0..<count where mask & (1 << next) == 0 {
                    let longer = path.extended(from: last, link(nodes[last], nodes[next]))
                    let slot = (mask | 1 << next) * count + next
                    if best[slot].map({ longer.isBetter(than: $0) }) ?? true { best[slot] = longer }
                }
            }
        }
        return order(best, count: count)
    }

    private static func order(_ best: [Path?], count: Int) -> [Int] {
        var mask = (1 << count) - 1
        var last = 0
        for end in 1..<count {
            guard let path = best[mask * count + end], let found = best[mask * count + last] else { continue }
            if path.isBetter(than: found) { last = end }
        }
        var order: [Int] = []
        while let path = best[mask * count + last] {
            order.append(last)
            guard path.previous >= 0 else { break }
            mask &= ~(1 << last)
            last = path.previous
        }
        return order.reversed()
    }

    private struct Path {
        var bandwidth = Double.infinity
        var latency = 0.0
        var previous = -1

        func extended(from previous: Int, _ link: Link) -> Path {
            Path(
                bandwidth: min(bandwidth, link.bandwidth), latency: latency + link.latency,
                previous: previous)
        }

        func isBetter(than other: Path) -> Bool {
            (bandwidth, -latency) > (other.bandwidth, -other.latency)
        }
    }
}
