internal import Foundation

/// Enumerates the plans of a model on a placement, drops those that do not fit, and keeps the fastest.
public struct PlanSearch: Sendable, Hashable {
    public var model: CatalogueModel
    public var memory: MemoryModel
    public var failures: FailureTable
    /// GiB of a GPU.
    public var gpuGiB: Double
    /// Most GPUs of a node.
    public var gpusPerNode: Int
    /// Loss of a doubling of the tensor degree: smaller matrices use a GPU less well.
    public var tensorLoss: Double
    /// What all predicted times are multiplied with, as measured steps tell.
    public var scale = 1.0

    public init(
        _ model: CatalogueModel, memory: MemoryModel = MemoryModel(), failures: FailureTable = FailureTable(),
        gpuGiB: Double = 80, gpusPerNode: Int = 8, tensorLoss: Double = 0.05
    ) {
        self.model = model
        self.memory = memory
        self.failures = failures
        self.gpuGiB = gpuGiB
        self.gpusPerNode = gpusPerNode
        self.tensorLoss = tensorLoss
    }

    /// The fastest plan on every placement that lies evenly on nodes.
    ///
    /// - Parameters:
    ///   - gpus: most that are tried.
    ///   - threads: of the host per GPU, for plans whose optimizer is there; others need one.
    public func curve(gpus: Int, threads: Int) -> SpeedCurve {
        SpeedCurve(
            (1...max(gpus, 1)).flatMap { count in
                placements(of: count).compactMap { best(placement: $0, threads: threads) }
            })
    }

    /// Nodes with equally many GPUs each.
    func placements(of gpus: Int) -> [[Int]] {
        (1...gpusPerNode).reversed().filter { gpus % $0 == 0 }.map {
            [Int](repeating: $0, count: gpus / $0)
        }
    }

    public func best(placement: [Int], threads: Int) -> SpeedPoint? {
        points(placement: placement, threads: threads).min {
            $0.secondsPerStep != $1.secondsPerStep
                ? $0.secondsPerStep < $1.secondsPerStep : $0.plan < $1.plan
        }
    }

    /// All plans that fit.
    public func points(placement: [Int], threads: Int) -> [SpeedPoint] {
        plans(placement).map { plan in
            let threads = plan.sharding == .offload ? threads : 1
            let milliseconds = model.performance.stepMilliseconds(
                plan, forward: forward(plan), nodes: placement.count, threads: threads)
            return SpeedPoint(
                placement: placement, plan: plan.notation, secondsPerStep: milliseconds * scale / 1000,
                threadsPerGPU: threads,
                memoryPerGPU: MemoryModel.hostMiB(model.performance.model, plan))
        }
    }

    /// What the failure of a plan on a placement teaches; nil where the search does not know such a plan.
    public func failure(of notation: String, on placement: [Int]) -> FailureTable.Entry? {
        let plan = plans(placement).first { $0.notation == notation }
        return plan.map { entry($0, microBatch: $0.isModelParallel ? 1 : microBatch($0)) }
    }

    /// The shape of a measured step; nil where the search does not know such a plan.
    public func profilePoint(
        plan notation: String, placement: [Int], threads: Int, milliseconds: Double
    ) -> ProfilePoint? {
        let plan = plans(placement).first { $0.notation == notation }
        return plan.map {
            ProfilePoint(
                plan: $0, nodes: placement.count, threads: threads, forward: forward($0), step: milliseconds)
        }
    }

    private func plans(_ placement: [Int]) -> [ExecutionPlan] {
        dataPlans(placement.reduce(0, +)) + stagedPlans(placement)
    }

    /// Sequences of a rank's micro-step.
    private func microBatch(_ plan: ExecutionPlan) -> Int {
        max(1, model.performance.model.globalBatch / (plan.data * plan.accumulation))
    }

    private func entry(_ plan: ExecutionPlan, microBatch: Int) -> FailureTable.Entry {
        FailureTable.Entry(
            parameters: model.performance.model.parameters, plan: plan, microBatch: microBatch)
    }

    private func dataPlans(_ gpus: Int) -> [ExecutionPlan] {
        let shape = model.performance.model
        guard shape.globalBatch % gpus == 0 else { return [] }
        return ExecutionPlan.Sharding.allCases.flatMap { sharding in
            [false, true].compactMap { checkpointing in
                let limit = microBatch(sharding)
                guard limit > 0 else { return nil }
                let share = shape.globalBatch / gpus
                var micro = min(limit, share)
                while share % micro != 0 { micro -= 1 }
                let plan = ExecutionPlan(
                    data: gpus, accumulation: share / micro, checkpointing: checkpointing, sharding: sharding)
                return isFeasible(plan, microBatch: micro) ? plan : nil
            }
        }
    }

    private func microBatch(_ sharding: ExecutionPlan.Sharding) -> Int {
        switch sharding {
        case .none: model.microBatch
        case .sharded: model.microBatchSharded
        case .offload: model.microBatchOffload
        }
    }

    /// Tensor parallelism stays inside a node and divides the heads, and a stage has at least a layer.
    private func stagedPlans(_ placement: [Int]) -> [ExecutionPlan] {
        let gpus = placement.reduce(0, +)
        let shape = model.performance.model
        guard let perNode = placement.first, placement.allSatisfy({ $0 == perNode }) else { return [] }
        return (1...perNode).filter { perNode % $0 == 0 && shape.heads % $0 == 0 }.flatMap { tensor in
            (1...min(gpus / tensor, shape.layers)).compactMap { pipeline in
                guard gpus % (tensor * pipeline) == 0, tensor * pipeline > 1 else { return nil }
                let data = gpus / (tensor * pipeline)
                guard shape.globalBatch % data == 0 else { return nil }
                let plan = ExecutionPlan(data: data, tensor: tensor, pipeline: pipeline)
                return isFeasible(plan, microBatch: 1) ? plan : nil
            }
        }
    }

    /// Measured micro-batches know of activations; the state of the model is what they may have been measured
    /// without. Stages are checkpointed.
    private func isFeasible(_ plan: ExecutionPlan, microBatch: Int) -> Bool {
        let shape = model.performance.model
        var checked = plan
        checked.checkpointing = true
        return memory.fits(shape, checked, microBatch: plan.isModelParallel ? microBatch : 1, gpuGiB: gpuGiB)
            && !failures.rules(out: entry(plan, microBatch: microBatch))
    }

    /// Milliseconds of the forward pass of a micro-step: a GPU's share of the whole pass, longer by the
    /// bubble of the pipeline and by what smaller matrices cost. A profile is better where there is one.
    public func forward(_ plan: ExecutionPlan) -> Double {
        let share = model.forward / Double(plan.gpus * plan.accumulation)
        guard plan.isModelParallel else { return share }
        let microBatches = max(1, model.performance.model.globalBatch / plan.data)
        let bubble = 1 + Double(plan.pipeline - 1) / Double(microBatches)
        return share * bubble * pow(1 + tensorLoss, log2(Double(plan.tensor)))
    }
}
