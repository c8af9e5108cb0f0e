/// Makes plans and repairs them. The same inputs and seed give the same plan.
public struct ServingPlanner: Sendable {
    /// Time since some moment; only ends searches that take too long, and is reported.
    public typealias Uptime = @Sendable () -> Duration

    let uptime: Uptime?

    /// - Parameter uptime: nil measures nothing and lets searches go on to their last evaluation.
    public init(uptime: Uptime? = nil) { self.uptime = uptime }

    /// A plan from nothing.
    ///
    /// - Parameter seconds: after which the search ends with what it has.
    /// - Throws: `ServingError` of code `infeasible` when no groups can serve the model.
    public func plan(
        _ problem: PlanningProblem, limits: SearchLimits, seconds: Double = .infinity, seed: UInt64
    ) throws(ServingError) -> ServingPlan {
        let watch = Stopwatch(uptime)
        var evaluator = PlanEvaluator(problem)
        let isOverdue = { watch.milliseconds > seconds * 1000 }
        let search = PlanSearch(problem: problem, limits: limits, seed: seed)
        guard let found = search.run(&evaluator, isOverdue: isOverdue) else {
            throw Self.infeasible(problem)
        }
        // A search of a few steps is not worth the simulations that tell its candidates apart.
        let isShort = limits.evaluations < PlanSearch.leastShared
        let best = PlanTrial(problem, seed: seed).best(found.candidates, &evaluator) {
            isShort || isOverdue()
        }
        var plan = PlanDraft(best, evaluator).plan(
            &evaluator, kind: .full, seed: seed, evaluations: found.evaluations, isCapped: found.isCapped)
        plan.searchMs = Rounded.rate(watch.milliseconds)
        return plan
    }

    static func infeasible(_ problem: PlanningProblem) -> ServingError {
        let hardware = problem.hardware
        let need = Double(hardware.model.layers) * hardware.layerBytes * 1.1
        let have = hardware.cluster.nodes.indices.reduce(0.0) {
            $0 + hardware.usableBytes(node: $1, tensor: hardware.cluster.nodes[$1].count)
        }
        let words =
            have < need
            ? "the weights need \(Int(need / 1e9)) GB and all GPUs together have room for \(Int(have / 1e9)) GB"
            : "no groups have room for the weights and for the requests in time"
        return ServingError(.infeasible, "\(hardware.model.name) cannot be served here: \(words)")
    }
}

struct Stopwatch {
    private let uptime: ServingPlanner.Uptime?
    private let start: Duration

    init(_ uptime: ServingPlanner.Uptime?) {
        self.uptime = uptime
        start = uptime?() ?? .zero
    }

    /// Since it was made; 0 without a clock.
    var milliseconds: Double {
        guard let uptime else { return 0 }
        let parts = (uptime() - start).components
        return Double(parts.seconds) * 1000 + Double(parts.attoseconds) / 1e15
    }
}
