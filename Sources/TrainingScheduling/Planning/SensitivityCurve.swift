/// How speed answers to each resource: GPUs, host threads and the bandwidth between nodes.
public struct SensitivityCurve: Sendable, Hashable, Codable {
    /// The best plan for one amount of everything.
    public struct Entry: Sendable, Hashable, Codable {
        public var gpus: Int
        /// Of the host, per GPU.
        public var threads: Int
        /// Whether the GPUs may lie on several nodes.
        public var spread: Bool
        /// What is used of it: never more than adds a hundredth of speed.
        public var point: SpeedPoint
    }

    public let entries: [Entry]

    /// - Parameters:
    ///   - gpus: most that are tried.
    ///   - threads: numbers per GPU that are tried.
    ///   - slack: share of speed below which more of a resource is of no use.
    public init(_ search: PlanSearch, gpus: Int, threads: [Int], slack: Double = 0.01) {
        var entries: [Entry] = []
        for spread in [false, true] {
            var fewer: [Int: SpeedPoint] = [:]
            for threads in threads.sorted() {
                let curve = search.curve(gpus: gpus, threads: threads).filtered { spread || $0.nodes == 1 }
                var held: SpeedPoint?
                for count in 1...max(gpus, 1) {
                    var best = held
                    for point in [fewer[count], curve.best(gpus: count)].compactMap({ $0 }) {
                        if best.map({ $0.secondsPerStep > point.secondsPerStep * (1 + slack) }) ?? true {
                            best = point
                        }
                    }
                    held = best
                    guard let best else { continue }
                    fewer[count] = best
                    entries.append(Entry(gpus: count, threads: threads, spread: spread, point: best))
                }
            }
        }
        self.entries = entries
    }

    public func entry(gpus: Int, threads: Int, spread: Bool) -> Entry? {
        entries.first { $0.gpus == gpus && $0.threads == threads && $0.spread == spread }
    }
}
