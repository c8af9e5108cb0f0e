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
