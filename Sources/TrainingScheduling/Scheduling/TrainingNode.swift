/// What a node has for training jobs.
public struct TrainingNode: Sendable, Hashable, Codable {
    public var gpus: Int
    /// Of the host.
    public var threads: Int
    public var memoryMiB: Int
    /// Nodes of one rack are nearer to each other than to all others.
    public var rack: Int

    public init(gpus: Int, threads: Int, memoryMiB: Int, rack: Int = 0) {
        self.gpus = gpus
        self.threads = threads
        self.memoryMiB = memoryMiB
        self.rack = rack
    }
}

/// What of a node a job holds.
public struct NodeShare: Sendable, Hashable, Codable {
    public var node: Int
    public var gpus: Int

    public init(node: Int, gpus: Int) {
        self.node = node
        self.gpus = gpus
    }
}

/// Where a job runs, and how.
public struct Grant: Sendable, Hashable, Codable {
    /// In the order of nodes.
    public var shares: [NodeShare]
    public var point: SpeedPoint

    public init(shares: [NodeShare], point: SpeedPoint) {
        self.shares = shares.sorted { $0.node < $1.node }
        self.point = point
    }

    public var gpus: Int { shares.reduce(0) { $0 + $1.gpus } }

    /// A smaller shape on nodes that it has, out of what it has there.
    func subset(_ smaller: SpeedPoint) -> Grant? {
        var left = shares.sorted { $0.gpus != $1.gpus ? $0.gpus < $1.gpus : $0.node < $1.node }
        var kept: [NodeShare] = []
        for count in smaller.placement {
            let index = left.firstIndex { share in
                share.gpus >= count && share.gpus * point.threadsPerGPU >= count * smaller.threadsPerGPU
                    && share.gpus * point.memoryPerGPU >= count * smaller.memoryPerGPU
            }
            guard let index else { return nil }
            kept.append(NodeShare(node: left.remove(at: index).node, gpus: count))
        }
        return Grant(shares: kept, point: smaller)
    }
}
