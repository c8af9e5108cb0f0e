extension ServingPlanner {
    /// Plans judged for each choice of nodes, before the chosen ones get a whole search.
    static let trialEvaluations = 60
    /// Choices of nodes that are tried.
    static let choiceLimit = 400

    /// Chooses nodes among those that are offered, and plans with them: the most requests in time within a
    /// budget, or the least dollars with which the target share is in time.
    ///
    /// What is offered is all there is: each node can be rented once.
    ///
    /// - Parameters:
    ///   - budget: dollars per hour; nil is no limit.
    ///   - cheapest: whether money counts before what goes beyond the target.
    /// - Throws: `ServingError` of code `infeasible` when nothing within the budget serves the model, or
    ///   nothing reaches the target.
    public func rent(
        _ problem: PlanningProblem, within budget: Double?, cheapest: Bool, limits: SearchLimits,
        seconds: Double = .infinity, seed: UInt64
    ) throws(ServingError) -> ServingPlan {
        let watch = Stopwatch(uptime)
        var rental = try Rental(problem, budget: budget ?? .infinity, cheapest: cheapest, seed: seed)
        let found = try rental.search { watch.milliseconds > seconds * 500 }
        guard let found else {
            throw ServingError(
                .infeasible, "no nodes within the budget can serve \(problem.hardware.model.name)")
        }
        let left = max(0, seconds - watch.milliseconds / 1000)
        var plan = try self.plan(
            try rental.problem(found.nodes), limits: limits, seconds: left, seed: seed)
        if cheapest, plan.predicted.attainment < problem.levels.target {
            guard found.attainment >= problem.levels.target else {
                throw ServingError(
                    .infeasible,
                    "no nodes within the budget bring \(problem.levels.target) of the requests in time")
            }
        }
        plan.evaluations += rental.evaluations
        plan.searchMs = Rounded.rate(watch.milliseconds)
        return plan
    }
}

/// A search among sets of nodes.
struct Rental {
    struct Choice {
        var nodes: Set<Int>
        var attainment: Double
        var saturation: Double
        var cost: Double
    }

    private let whole: PlanningProblem
    /// Dollars per hour.
    var budget: Double
    private let cheapest: Bool
    private let seed: UInt64
    let prices: [Double]
    private var known: [Set<Int>: Choice?] = [:]
    private(set) var evaluations = 0

    init(
        _ problem: PlanningProblem, budget: Double, cheapest: Bool, seed: UInt64
    ) throws(ServingError) {
        guard budget > 0 else { throw ServingError(.settings, "budget: more than 0 dollars expected") }
        whole = problem
        self.budget = budget
        self.cheapest = cheapest
        self.seed = seed
        prices = problem.hardware.cluster.nodes.indices.map { node in
            let spec = problem.hardware.cluster.nodes[node]
            return spec.price ?? Double(spec.count) * (problem.hardware.types[node].usualPrice ?? 0)
        }
    }

    /// The problem with some nodes only.
    func problem(_ nodes: Set<Int>) throws(ServingError) -> PlanningProblem {
        let order = nodes.sorted()
        let hardware = whole.hardware
        var problem = whole
        problem.hardware = try ServingHardware(
            cluster: ServingCluster(
                nodes: order.map { hardware.cluster.nodes[$0] },
                links: order.map { row in order.map { hardware.cluster.links[row][$0] } }),
            model: hardware.model, precision: hardware.precision, settings: hardware.settings,
            types: order.map { hardware.types[$0] })
        return problem
    }

    /// Whether one choice is to be preferred.
    private func isBetter(_ left: Choice, _ right: Choice) -> Bool {
        let target = whole.levels.target
        if cheapest {
            let (a, b) = (left.attainment >= target, right.attainment >= target)
            if a != b { return a }
            if a, left.cost != right.cost { return left.cost < right.cost }
            if !a { return left.attainment > right.attainment }
        }
        let (a, b) = ((left.attainment * 1000).rounded(), (right.attainment * 1000).rounded())
        if a != b { return a > b }
        // At equal attainment a node that brings nothing is not rented.
        return left.saturation / max(left.cost, 1e-9) > right.saturation / max(right.cost, 1e-9)
    }

    private mutating func judge(_ nodes: Set<Int>) throws(ServingError) -> Choice? {
        if let found = known[nodes] { return found }
        let cost = nodes.reduce(0) { $0 + prices[$1] }
        guard !nodes.isEmpty, cost <= budget * (1 + 1e-9) else { return nil }
        let problem = try problem(nodes)
        var evaluator = PlanEvaluator(problem)
        let limits = try SearchLimits(evaluations: ServingPlanner.trialEvaluations)
        let search = TabuSearch(problem: problem, limits: limits, seed: seed)
        var choice: Choice?
        if let found = search.run(&evaluator, isOverdue: { false }), let best = found.candidates.first {
            evaluations += found.evaluations
            let judged = JudgedRoutes(best, &evaluator)
            choice = Choice(
                nodes: nodes, attainment: judged.attainment, saturation: judged.problem.saturation(),
                cost: cost)
        }
        known[nodes] = .some(choice)
        return choice
    }

    /// Adds, drops and swaps nodes as long as that helps.
    mutating func search(isOverdue: () -> Bool) throws(ServingError) -> Choice? {
        var best: Choice?
        let limit = known.count + ServingPlanner.choiceLimit
        for start in starts() {
            guard var current = try judge(start) else { continue }
            var hasMoved = true
            while hasMoved, known.count < limit, !isOverdue() {
                hasMoved = false
                for nodes in neighbours(current.nodes) {
                    guard known.count < limit, !isOverdue() else { break }
                    if let next = try judge(nodes), isBetter(next, current) {
                        current = next
                        hasMoved = true
                        break
                    }
                }
            }
            if best.map({ isBetter(current, $0) }) ?? true { best = current }
        }
        return best
    }

    /// All that the budget allows, in several orders: by memory, arithmetic and bandwidth per dollar.
    private func starts() -> [Set<Int>] {
        let types = whole.hardware.types
        let counts = whole.hardware.cluster.nodes.map { Double($0.count) }
        let orders: [(Int) -> Double] = [
            { counts[$0] * types[$0].memoryGB }, { counts[$0] * types[$0].denseTFLOPS },
            { counts[$0] * types[$0].bandwidthGBps },
        ]
        return orders.map { value in
            let order = prices.indices.sorted {
                (-value($0) / max(prices[$0], 1e-9), $0) < (-value($1) / max(prices[$1], 1e-9), $1)
            }
            var nodes: Set<Int> = []
            var cost = 0.0
            for node in order where cost + prices[node] <= budget {
                nodes.insert(node)
                cost += prices[node]
            }
            return nodes
        }
    }

    private func neighbours(_ nodes: Set<Int>) -> [Set<Int>] {
        let others = prices.indices.filter { !nodes.contains($0) }
        let drops = nodes.sorted().map { nodes.subtracting([$0]) }
        let adds = others.map { nodes.union([$0]) }
        let swaps = nodes.sorted().flatMap { out in
            others.map { nodes.subtracting([out]).union([$0]) }
        }
        return cheapest ? drops + swaps + adds : adds + swaps + drops
    }
}
