/// GiB of one GPU that a plan needs.
public struct MemoryModel: Sendable, Hashable, Codable {
    /// GiB per GiB of what is counted, fitted on 99 runs of the BLOOM family on A100-80 (checkpointed, state
    /// sharded).
    public struct Weights: Sendable, Hashable, Codable {
        /// Parameters and gradients, per 2³⁰ parameters of a GPU.
        public var parameters = 3.92
        /// Optimizer state, per 2³⁰ parameters of a GPU and rank that shares it.
        public var optimizer = 19.45
        /// Activations kept at the bounds of layers.
        public var bounds = 0.79
        /// Activations of the layer that is computed.
        public var layer = 4.7
        /// Embedding of one stage.
        public var embedding = 5.24
        /// What libraries take.
        public var constant = 9.73

        public init() {}
    }

    public var weights: Weights
    /// Share of a GPU's memory that is left free, as the model is off by some percent.
    public var headRoom: Double

    public init(weights: Weights = Weights(), headRoom: Double = 0.1) {
        self.weights = weights
        self.headRoom = headRoom
    }

    /// - Parameter microBatch: sequences that a replica computes at once.
    /// - Returns: GiB, at the first stage of the pipeline, which keeps the most.
    public func gibibytes(_ model: ModelDescription, _ plan: ExecutionPlan, microBatch: Int) -> Double {
        let gibi = 1_073_741_824.0
        let tensor = Double(plan.tensor)
        let batch = Double(microBatch)
        let share = model.gibiParameters / Double(plan.tensor * plan.pipeline)
        let sequence = Double(model.sequence)
        let tokens = sequence * batch * Double(model.hidden)
        let inFlight = min(
            Double(plan.pipeline), max(1, Double(model.globalBatch) / Double(plan.data * max(microBatch, 1))))
        let layers = Double(model.layers) / Double(plan.pipeline)
        let layer =
            (tokens * (10 + 24 / tensor) + 5 * sequence * sequence * batch * Double(model.heads) / tensor)
            / gibi
        let kept = 2 * tokens * layers * inFlight / gibi
        // Without checkpointing every layer keeps what otherwise only the computed one does.
        let activations =
            plan.checkpointing
            ? weights.bounds * kept + weights.layer * layer : weights.layer * layer * layers * inFlight
        let ranks = plan.sharding == .none ? 1 : Double(plan.data)
        let optimizer = plan.sharding == .offload ? 0 : weights.optimizer * share / ranks
        let embedding = Double(model.vocabulary * model.hidden) / tensor / gibi
        return weights.parameters * share + optimizer + activations + weights.embedding * embedding
            + weights.constant
    }

    /// Whether a plan fits a GPU of so many GiB with the head-room left free.
    public func fits(
        _ model: ModelDescription, _ plan: ExecutionPlan, microBatch: Int, gpuGiB: Double
    ) -> Bool {
        gibibytes(model, plan, microBatch: microBatch) <= gpuGiB * (1 - headRoom)
    }

    /// MiB of the host per GPU: master weights, gradients and both moments where they are offloaded, and
    /// otherwise the process.
    public static func hostMiB(_ model: ModelDescription, _ plan: ExecutionPlan) -> Int {
        let process = 2048
        guard plan.sharding == .offload else { return process }
        return process + Int((16 * model.parameters / Double(plan.data) / 1_048_576).rounded(.up))
    }
}
