/// One measured step.
public struct ProfilePoint: Sendable, Hashable, Codable {
    public var plan: ExecutionPlan
    public var nodes: Int
    /// Of the host, per GPU.
    public var threads: Int
    /// Milliseconds of the forward pass of one micro-step.
    public var forward: Double
    /// Milliseconds of the step.
    public var step: Double

    public init(plan: ExecutionPlan, nodes: Int = 1, threads: Int = 1, forward: Double, step: Double) {
        self.plan = plan
        self.nodes = nodes
        self.threads = threads
        self.forward = forward
        self.step = step
    }
}
