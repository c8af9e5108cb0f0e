/// A plan served event by event.
public struct PlanSimulation: Sendable {
    private let problem: PlanningProblem
    private let replicas: [PlanEvaluator.Replica]
    private let evaluator: PlanEvaluator
    private let plan: ServingPlan

    /// - Throws: `ServingError` for a plan that cannot be.
    public init(_ plan: ServingPlan) throws(ServingError) {
        let problem = try plan.inputs.problem()
        var evaluator = PlanEvaluator(problem)
        var replicas: [PlanEvaluator.Replica] = []
        for group in plan.groups {
            let costs = LayoutCosts(
                try BrokenPlan.layout(group, problem.hardware), workload: problem.workload,
                levels: problem.levels, request: problem.hardware.settings.requestSeconds)
            replicas.append(.init(layout: evaluator.add(costs), phase: group.phase))
        }
        guard PlanEvaluator.servesSomething(replicas) else {
            throw ServingError(.plan, "the plan has no groups for both phases")
        }
        self.problem = problem
        self.replicas = replicas
        self.evaluator = evaluator
        self.plan = plan
    }

    /// Serves requests by the routes of the plan.
    ///
    /// - Parameter requests: by arrival.
    public func run(_ requests: [TimedRequest]) throws(ServingError) -> SimulatedService {
        let prefill = plan.groups.filter { $0.phase != .decode }.map(\.name)
        let decode = plan.groups.filter { $0.phase != .prefill }.map(\.name)
        var shares = prefill.map { _ in decode.map { _ in 0.0 } }
        for route in plan.routes {
            guard let row = prefill.firstIndex(of: route.prefill),
                let column = decode.firstIndex(of: route.decode), route.share >= 0, route.share <= 1
            else { throw ServingError(.plan, "a route from \(route.prefill) to \(route.decode)") }
            shares[row][column] = route.share
        }
        return service(requests, shares: shares)
    }

    private func service(_ requests: [TimedRequest], shares: [[Double]]) -> SimulatedService {
        Self.service(requests, replicas, shares: shares, evaluator)
    }

    /// - Parameter shares: of all requests, rows and columns as in the routes of the replicas.
    static func service(
        _ requests: [TimedRequest], _ replicas: [PlanEvaluator.Replica], shares: [[Double]],
        _ evaluator: PlanEvaluator
    ) -> SimulatedService {
        let prefill = replicas.filter { $0.phase != .decode }
        let decode = replicas.filter { $0.phase != .prefill }
        let own = prefill.indices.map { row -> Int? in
            guard prefill[row].phase == .both else { return nil }
            let rank = PlanEvaluator.rank(row, .both, prefill)
            return decode.indices.first {
                decode[$0].phase == .both && PlanEvaluator.rank($0, .both, decode) == rank
            }
        }
        var simulation = ServingSimulation(
            prefill: prefill.map { evaluator.costs[$0.layout].model },
            decode: decode.map { evaluator.costs[$0.layout].model }, own: own, shares: shares,
            on: evaluator.problem.hardware)
        return SimulatedService(simulation.run(requests), levels: evaluator.problem.levels)
    }

    /// The largest rate, requests per second, at which the share that is aimed at is in time, with routes
    /// made for the rate and arrivals at random.
    ///
    /// - Parameters:
    ///   - sizes: of the requests, in their order.
    ///   - seed: of the arrivals.
    public func goodput(_ sizes: [RequestSize], seed: UInt64) -> Double {
        var evaluator = evaluator
        let most = evaluator.routes(replicas)
        var low = 0.0
        var high =
            1.5 * min(most.prefillRates.reduce(0, +), most.decodeRates.reduce(0, +))
            / problem.levels.target
        for _ in 0..<14 where high > 0 {
            let rate = (low + high) / 2
            let routes = JudgedRoutes(replicas, &evaluator, rate: rate).routing.shares
            let service = service(TimedRequest.poisson(sizes, rate: rate, seed: seed), shares: routes)
            if service.attainment >= problem.levels.target { low = rate } else { high = rate }
        }
        return Rounded.rate(low)
    }
}

/// A short simulation that chooses between candidates that formulas find about equally good.
struct PlanTrial {
    /// Requests of a trial: a few minutes at usual rates.
    static let requests = 2000

    private let problem: PlanningProblem
    private let arrivals: [TimedRequest]

    init(_ problem: PlanningProblem, seed: UInt64) {
        self.problem = problem
        var random = SplitMix64(seed: seed)
        let sizes = (0..<Self.requests).compactMap { _ in random.choice(problem.workload.samples) }
        arrivals = TimedRequest.poisson(sizes, rate: problem.workload.rate, seed: seed)
    }

    /// Share in time; less what single points of failure cost.
    func attainment(_ replicas: [PlanEvaluator.Replica], _ evaluator: inout PlanEvaluator) -> Double {
        let judged = JudgedRoutes(replicas, &evaluator)
        let service = PlanSimulation.service(
            arrivals, replicas, shares: judged.routing.shares, evaluator)
        guard problem.rules.avoidsSinglePoints else { return service.attainment }
        return service.attainment - PlanRank.penalty * Double(PlanEvaluator.brokenRules(judged.problem))
    }

    /// The candidate that is best in a trial; of those within half a percent of it, the first.
    ///
    /// - Parameter candidates: at least one.
    func best(
        _ candidates: [[PlanEvaluator.Replica]], _ evaluator: inout PlanEvaluator
    ) -> [PlanEvaluator.Replica] {
        var values: [Double] = []
        for candidate in candidates { values.append(attainment(candidate, &evaluator)) }
        let most = values.max() ?? 0
        return zip(candidates, values).first { $0.1 >= most - 0.005 }?.0 ?? []
    }
}
