internal import Foundation

extension PerformanceModel {
    private static let mebi = 1_048_576.0

    /// Layers divided over stages, matrices over the GPUs of a node, batches over replicas.
    ///
    /// The bubble of the pipeline is part of the forward time.
    func stagedMilliseconds(_ plan: ExecutionPlan, forward: Double, nodes: Int) -> Double {
        let backward = parameters.backward * forward
        let exchange = replicaExchange(plan, nodes: nodes)
        return forward + Overlap.of(exchange, backward, parameters.synchronisation)
            + parameters.optimizer * model.mebiParameters / Double(plan.tensor * plan.pipeline)
            + parameters.constant + stageExchange(plan) + matrixExchange(plan)
    }

    /// Sequences that each replica computes of the global batch.
    private func share(_ plan: ExecutionPlan) -> Double { Double(model.globalBatch / plan.data) }

    /// Four all-reduces per layer, forward and backward, inside a node.
    private func matrixExchange(_ plan: ExecutionPlan) -> Double {
        let tensor = Double(plan.tensor)
        let tokens = Double(model.sequence * model.hidden) * share(plan)
        return 8 * 4 * tokens * (tensor - 1) / tensor * Double(model.layers) / Self.mebi / constants.nodeLink
    }

    /// Activations from stage to stage, across nodes.
    private func stageExchange(_ plan: ExecutionPlan) -> Double {
        guard plan.pipeline > 1 else { return 0 }
        let bytes = 2 * 8 * share(plan) * Double(model.sequence * model.hidden)
        let perRank = (bytes / Double(plan.tensor)).rounded(.down)
        return Double(plan.pipeline) * perRank / constants.clusterLinkOfStages / Self.mebi
    }

    /// Gradients of the replicas; inside a node when every stage has one to itself.
    private func replicaExchange(_ plan: ExecutionPlan, nodes: Int) -> Double {
        let data = Double(plan.data)
        let perNode = plan.gpus / max(nodes, 1)
        let isLocal = perNode > plan.tensor && plan.pipeline == nodes
        let whole = 2 * constants.gradientBytes * (data - 1) / data * model.mebiParameters
        // The published model counts whole MiB of each rank.
        let perRank = ((whole / Double(plan.tensor)).rounded(.down) / Double(plan.pipeline)).rounded(.down)
        return perRank / (isLocal ? constants.nodeLink : constants.clusterLinkOfStages)
    }
}
