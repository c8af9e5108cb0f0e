/// What a cluster brings to every step, with the units of the published model.
public struct PerformanceConstants: Sendable, Hashable, Codable {
    /// GB/s between a GPU and its host.
    public var hostLink: Double
    /// GB/s between GPUs of one node.
    public var nodeLink: Double
    /// GB/s between nodes, in steps that are data-parallel only.
    public var clusterLink: Double
    /// GB/s between nodes, in steps with tensor or pipeline parallelism.
    public var clusterLinkOfStages: Double
    /// GPUs of a node.
    public var gpusPerNode: Int
    /// Bytes per parameter that a gradient exchange moves, twice for a ring.
    public var gradientBytes: Double
    /// Forward passes of a step that checkpoints.
    public var checkpointedForwards: Double

    public init(
        hostLink: Double, nodeLink: Double, clusterLink: Double = 2, clusterLinkOfStages: Double = 20,
        gpusPerNode: Int = 8, gradientBytes: Double = 4, checkpointedForwards: Double = 2
    ) {
        self.hostLink = hostLink
        self.nodeLink = nodeLink
        self.clusterLink = clusterLink
        self.clusterLinkOfStages = clusterLinkOfStages
        self.gpusPerNode = gpusPerNode
        self.gradientBytes = gradientBytes
        self.checkpointedForwards = checkpointedForwards
    }
}
