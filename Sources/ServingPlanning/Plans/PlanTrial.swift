/// A short simulation that chooses between candidates that formulas find about equally good.
struct PlanTrial {
    /// Requests of a trial: a few minutes at usual rates.
    static let requests = 2000

    private let problem: PlanningProblem
    private let sizes: [RequestSize]
    private let seed: UInt64

    init(_ problem: PlanningProblem, seed: UInt64) {
        self.problem = problem
        self.seed = seed
        var random = SplitMix64(seed: seed)
        sizes = (0..<Self.requests).compactMap { _ in random.choice(problem.workload.samples) }
    }

    /// A candidate with what the trial finds of it.
    private struct Tried {
        var replicas: [PlanEvaluator.Replica]
        /// Share in time at the rate of the workload.
        var attainment: Double
        /// Of the rules against single points of failure.
        var broken: Int

        /// Less what single points of failure cost.
        var value: Double { attainment - PlanRank.penalty * Double(broken) }
        /// What its rates are worth beside those of one that breaks no rule.
        var weight: Double { 1 - PlanRank.penalty * Double(broken) }
    }

    /// Share in time at a rate, with the routes for it.
    private func attainment(
        _ replicas: [PlanEvaluator.Replica], rate: Double, _ evaluator: inout PlanEvaluator
    ) -> Double {
        let routes = JudgedRoutes(replicas, &evaluator, rate: rate).routing.shares
        let arrivals = TimedRequest.poisson(sizes, rate: rate, seed: seed)
        return PlanSimulation.service(arrivals, replicas, shares: routes, evaluator).attainment
    }

    /// The best candidate: of those with which the share that is aimed at is in time, the one with which it
    /// would be at the largest rate; where there is none, the one with most in time.
    ///
    /// - Parameters:
    ///   - candidates: at least one; of equal ones the first is taken.
    ///   - isOverdue: asked before each simulation of a further rate.
    func best(
        _ candidates: [[PlanEvaluator.Replica]], _ evaluator: inout PlanEvaluator, isOverdue: () -> Bool
    ) -> [PlanEvaluator.Replica] {
        let rate = problem.workload.rate
        var tried: [Tried] = []
        for replicas in candidates {
            let routes = evaluator.routes(replicas)
            tried.append(
                Tried(
                    replicas: replicas, attainment: attainment(replicas, rate: rate, &evaluator),
                    broken: problem.rules.avoidsSinglePoints ? PlanEvaluator.brokenRules(routes) : 0))
        }
        let most = tried.map(\.value).max() ?? 0
        let enough = tried.filter { $0.attainment >= problem.levels.target }
        guard candidates.count > 1, !enough.isEmpty else {
            // Half a percent is less than a short trial can tell.
            return tried.first { $0.value >= most - 0.005 }?.replicas ?? []
        }
        return strongest(enough, &evaluator, isOverdue: isOverdue)
    }

    /// The one that serves most. One that cannot do more than the best so far costs one simulation.
    private func strongest(
        _ tried: [Tried], _ evaluator: inout PlanEvaluator, isOverdue: () -> Bool
    ) -> [PlanEvaluator.Replica] {
        let order = tried.indices.sorted { (-tried[$0].value, $0) < (-tried[$1].value, $1) }
        var best: [PlanEvaluator.Replica] = []
        var bar = 0.0
        for candidate in order.map({ tried[$0] }) {
            func serves(_ worth: Double, _ evaluator: inout PlanEvaluator) -> Bool {
                let rate = worth / candidate.weight
                return !isOverdue()
                    && attainment(candidate.replicas, rate: rate, &evaluator) >= problem.levels.target
            }
            if best.isEmpty {
                (best, bar) = (candidate.replicas, problem.workload.rate * candidate.weight)
            } else {
                guard serves(bar * Self.step, &evaluator) else { continue }
                (best, bar) = (candidate.replicas, bar * Self.step)
            }
            var high = bar * 1.25
            while serves(high, &evaluator) { (bar, high) = (high, high * 1.25) }
            while high > bar * Self.step {
                let middle = (bar + high) / 2
                if serves(middle, &evaluator) { bar = middle } else { high = middle }
            }
        }
        return best
    }

    /// Rates closer than this are one.
    private static let step = 1.005
}
