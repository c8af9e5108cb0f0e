internal import Foundation

/// Milliseconds of a step as a function of plan, placement and host threads.
public struct PerformanceModel: Sendable, Hashable, Codable {
    public var model: ModelDescription
    public var parameters: PerformanceParameters
    public var constants: PerformanceConstants

    public init(
        model: ModelDescription, parameters: PerformanceParameters, constants: PerformanceConstants
    ) {
        self.model = model
        self.parameters = parameters
        self.constants = constants
    }

    /// Milliseconds of one step of the global batch.
    ///
    /// - Parameters:
    ///   - forward: milliseconds of the forward pass of one micro-step in this plan.
    ///   - nodes: that the GPUs lie on.
    ///   - threads: of the host, per GPU; matter where the optimizer is on the host.
    public func stepMilliseconds(
        _ plan: ExecutionPlan, forward: Double, nodes: Int = 1, threads: Int = 1
    ) -> Double {
        plan.isModelParallel
            ? stagedMilliseconds(plan, forward: forward, nodes: nodes)
            : dataMilliseconds(plan, forward: forward, nodes: nodes, threads: threads)
    }

    /// Gradients are exchanged around a ring, while the backward pass still runs.
    func dataMilliseconds(
        _ plan: ExecutionPlan, forward: Double, nodes: Int, threads: Int
    ) -> Double {
        let gpus = Double(plan.data)
        let backward = parameters.backward * forward
        let volume = 2 * constants.gradientBytes * model.mebiParameters * (gpus - 1) / gpus
        let exchange = volume / (nodes > 1 ? constants.clusterLink : constants.nodeLink)
        let accumulation = Double(plan.accumulation)
        let forwards = accumulation * (plan.checkpointing ? constants.checkpointedForwards : 1)
        return forwards * forward + (accumulation - 1) * backward
            + Overlap.of(exchange, backward, parameters.synchronisation)
            + optimizer(plan, threads: threads) + parameters.swap + parameters.constant
    }

    /// The update of the parameters and, where it is on the host, both ways there.
    private func optimizer(_ plan: ExecutionPlan, threads: Int) -> Double {
        let gpus = Double(plan.data)
        let size = model.mebiParameters
        switch plan.sharding {
        case .none: return parameters.optimizer * size
        case .sharded: return parameters.optimizer * size / gpus
        case .offload:
            let transfer = constants.gradientBytes * size / gpus / constants.hostLink
            return parameters.offload + 2 * transfer
                + parameters.hostOptimizer * size / (gpus * Double(max(threads, 1)))
        }
    }
}

/// Two things at once.
enum Overlap {
    /// `(xᵏ + yᵏ)^(1/k)`: the sum at 1, the greater at ∞; scaled, so that no power overflows.
    static func of(_ x: Double, _ y: Double, _ exponent: Double) -> Double {
        let greater = max(x, y)
        guard greater > 0 else { return 0 }
        return greater * pow(1 + pow(min(x, y) / greater, exponent), 1 / exponent)
    }
}
