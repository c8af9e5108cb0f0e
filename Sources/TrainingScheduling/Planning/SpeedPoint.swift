/// One way to run a model: where its GPUs lie, its plan there, and what a step takes.
public struct SpeedPoint: Sendable, Hashable, Codable {
    /// GPUs on each node, the most first.
    public var placement: [Int]
    /// In the notation of ``ExecutionPlan``.
    public var plan: String
    public var secondsPerStep: Double
    /// Of the host, per GPU.
    public var threadsPerGPU: Int
    /// MiB of the host, per GPU.
    public var memoryPerGPU: Int

    public init(
        placement: [Int], plan: String, secondsPerStep: Double, threadsPerGPU: Int = 1,
        memoryPerGPU: Int = 2048
    ) {
        self.placement = placement.sorted(by: >)
        self.plan = plan
        self.secondsPerStep = secondsPerStep
        self.threadsPerGPU = threadsPerGPU
        self.memoryPerGPU = memoryPerGPU
    }

    public var gpus: Int { placement.reduce(0, +) }
    public var nodes: Int { placement.count }
    /// GPU-seconds of a step.
    public var work: Double { secondsPerStep * Double(gpus) }

    /// Fewer GPUs first, then fewer nodes, then less time; the placement and the plan settle ties.
    static func precedes(_ lhs: SpeedPoint, _ rhs: SpeedPoint) -> Bool {
        if lhs.gpus != rhs.gpus { return lhs.gpus < rhs.gpus }
        if lhs.nodes != rhs.nodes { return lhs.nodes < rhs.nodes }
        if lhs.secondsPerStep != rhs.secondsPerStep { return lhs.secondsPerStep < rhs.secondsPerStep }
        if lhs.placement != rhs.placement { return lhs.placement.lexicographicallyPrecedes(rhs.placement) }
        return lhs.plan < rhs.plan
    }
}
