/// What each further dollar buys.
public struct ServingFrontier: Sendable, Hashable, Codable {
    /// A choice of nodes that no cheaper one equals.
    public struct Point: Sendable, Hashable, Codable {
        /// Dollars of the nodes.
        public var costPerHour: Double
        /// Share of the requests in time, estimated.
        public var attainment: Double
        /// In the order of the cluster.
        public var nodes: [String]
    }

    /// Requests per second.
    public var rate: Double
    /// Dearer ones later; each has more in time than those before.
    public var points: [Point]
    public var evaluations: Int
    /// Whether time ended the search.
    public var isCapped: Bool
}

extension ServingPlanner {
    /// Chooses nodes for budgets from a part of what all cost to the whole, in equal steps.
    ///
    /// - Parameters:
    ///   - budget: dollars per hour of the last step; nil is what all nodes cost.
    ///   - steps: budgets that are tried.
    ///   - seconds: after which the search ends with the steps that it has.
    /// - Throws: `ServingError` of code `infeasible` when not even all nodes serve the model.
    public func frontier(
        _ problem: PlanningProblem, within budget: Double?, steps: Int, seconds: Double = .infinity,
        seed: UInt64
    ) throws(ServingError) -> ServingFrontier {
        guard (1...100).contains(steps) else {
            throw ServingError(.settings, "steps: \(steps), 1 to 100 expected")
        }
        let watch = Stopwatch(uptime)
        let isOverdue = { watch.milliseconds > seconds * 1000 }
        var rental = try Rental(problem, budget: budget ?? .infinity, cheapest: false, seed: seed)
        let most = min(budget ?? .infinity, rental.prices.reduce(0, +))
        let nodes = problem.hardware.cluster.nodes
        var points: [ServingFrontier.Point] = []
        for step in 1...steps where !isOverdue() {
            rental.budget = most * Double(step) / Double(steps)
            guard let found = try rental.search(isOverdue: isOverdue) else { continue }
            let point = ServingFrontier.Point(
                costPerHour: Rounded.rate(found.cost), attainment: Rounded.share(found.attainment),
                nodes: found.nodes.sorted().map { nodes[$0].node })
            // Less than a tenth of a percent more is not worth a dollar.
            guard points.last.map({ point.attainment > $0.attainment + 0.001 }) ?? true else { continue }
            points.removeAll { $0.costPerHour >= point.costPerHour }
            points.append(point)
        }
        guard !points.isEmpty else { throw Self.infeasible(problem) }
        return ServingFrontier(
            rate: problem.workload.rate, points: points, evaluations: rental.evaluations,
            isCapped: isOverdue())
    }
}
