extension ServingPlanner {
    /// Weights are read from disks and networks at about this rate, bytes per second and node.
    static let reloadBandwidth = 1.2e9
    /// An engine that has its weights needs this long until it answers, seconds.
    static let engineStartSeconds = 60.0
    /// A new plan has this long to gain what reloading lost, seconds.
    static let payBackSeconds = 1800.0

    /// Repairs a plan: first the routes, then phases of groups whose weights stay where they are, and on
    /// request a plan from nothing beside it.
    ///
    /// - Parameters:
    ///   - seconds: after which the search for phases ends.
    ///   - full: limits of the plan from nothing; nil searches none.
    /// - Throws: `ServingError` of code `event` or `plan`, or `infeasible` when nothing is left that serves.
    public func repair(
        _ plan: ServingPlan, after event: PlanEvent, seconds: Double = 1, full: SearchLimits? = nil
    ) throws(ServingError) -> ServingPlan {
        let watch = Stopwatch(uptime)
        let broken = try BrokenPlan(plan, event)
        var evaluator = broken.evaluator
        let before = broken.staleAttainment(&evaluator)
        let serves = PlanEvaluator.servesSomething(broken.left.map(\.replica))
        let routes = serves ? JudgedRoutes(broken.left.map(\.replica), &evaluator).attainment : 0
        let routesMs = watch.milliseconds
        let found = PhaseSearch.run(
            broken.left.map(\.replica), &evaluator, isOverdue: { watch.milliseconds > seconds * 1000 })
        guard PlanEvaluator.servesSomething(found.replicas) else {
            throw ServingError(.infeasible, "no group is left for prefill or for decoding")
        }
        let placed = zip(broken.left, found.replicas).map { old, new in
            PlanDraft.Placed(name: old.name, replica: new, gpus: old.gpus)
        }
        var repaired = PlanDraft(placed, evaluator).plan(
            &evaluator, kind: .light, seed: plan.seed, evaluations: found.evaluations,
            isCapped: found.isCapped, lost: broken.lost)
        repaired.searchMs = Rounded.rate(watch.milliseconds)
        repaired.repair = PlanRepair(
            event: event.text, down: broken.down,
            flipped: zip(broken.left, placed).filter { $0.replica.phase != $1.replica.phase }.map(\.0.name),
            staleAttainment: Rounded.share(before), routesAttainment: Rounded.share(routes),
            routesMs: Rounded.rate(routesMs),
            proposal: try full.map { (limits) throws(ServingError) in
                try proposal(beside: repaired, broken, limits)
            } ?? nil)
        return repaired
    }

    private func proposal(
        beside light: ServingPlan, _ broken: BrokenPlan, _ limits: SearchLimits
    ) throws(ServingError) -> PlanRepair.Proposal {
        let full = try self.plan(broken.problemOfTheRest(), limits: limits, seed: light.seed)
        let known = Set(light.groups.map { Set($0.stages.map(Self.slice)) })
        let moved = full.groups.filter { !known.contains(Set($0.stages.map(Self.slice))) }
        let hardware = broken.evaluator.problem.hardware
        var bytes: [String: Double] = [:]
        for stage in moved.flatMap(\.stages) {
            bytes[stage.node, default: 0] += Double(stage.layers) * hardware.layerBytes
        }
        let slowest = bytes.values.max() ?? 0
        let reload = moved.isEmpty ? 0 : slowest / Self.reloadBandwidth + Self.engineStartSeconds
        let movedShare =
            Double(moved.flatMap(\.stages).reduce(0) { $0 + $1.gpus.count })
            / Double(max(1, full.groups.flatMap(\.stages).reduce(0) { $0 + $1.gpus.count }))
        let gain = (full.predicted.attainment - light.predicted.attainment) * Self.payBackSeconds
        let loss = light.predicted.attainment * reload * movedShare
        return PlanRepair.Proposal(
            attainment: full.predicted.attainment, goodput: full.predicted.goodput,
            reloadSeconds: Rounded.rate(reload), pays: gain > loss)
    }

    private static func slice(_ stage: ServingPlan.PlacedStage) -> String {
        "\(stage.node):\(stage.gpus.count):\(stage.layers)"
    }
}

/// A plan of which an event made something else.
struct BrokenPlan {
    let evaluator: PlanEvaluator
    /// Groups that can serve, with their phases and layouts as they were.
    let left: [PlanDraft.Placed]
    /// Names of those that cannot.
    let down: [String]
    let lost: Set<String>
    private let old: ServingPlan

    init(_ plan: ServingPlan, _ event: PlanEvent) throws(ServingError) {
        var problem = try plan.inputs.problem()
        lost = if case .gpuLost(let id) = event { [id] } else { [] }
        if case .shift(let workload) = event { problem.workload = workload }
        let ids = plan.groups.flatMap { $0.stages.flatMap(\.gpus) } + plan.spare
        if let id = lost.first, !ids.contains(id) {
            throw ServingError(.event, "no GPU \"\(id)\" in the plan", choices: ids, value: id)
        }
        var evaluator = PlanEvaluator(problem)
        var left: [PlanDraft.Placed] = []
        var down: [String] = []
        for group in plan.groups {
            let layout = try Self.layout(group, problem.hardware)
            guard lost.isDisjoint(with: group.stages.flatMap(\.gpus)) else {
                down.append(group.name)
                continue
            }
            let costs = LayoutCosts(
                layout, workload: problem.workload, levels: problem.levels,
                request: problem.hardware.settings.requestSeconds)
            left.append(
                .init(
                    name: group.name,
                    replica: .init(layout: evaluator.add(costs), phase: group.phase),
                    gpus: group.stages.map(\.gpus)))
        }
        self.evaluator = evaluator
        self.left = left
        self.down = down
        old = plan
    }

    static func layout(
        _ group: ServingPlan.Group, _ hardware: ServingHardware
    ) throws(ServingError) -> LayoutModel {
        try layout(named: group.name, group.stages, hardware)
    }

    static func layout(
        named name: String, _ placed: [ServingPlan.PlacedStage], _ hardware: ServingHardware
    ) throws(ServingError) -> LayoutModel {
        var stages: [Stage] = []
        for stage in placed {
            guard let node = hardware.cluster.nodes.firstIndex(where: { $0.node == stage.node }) else {
                throw ServingError(.plan, "\(name): no node \"\(stage.node)\" in the plan's inputs")
            }
            stages.append(Stage(node: node, tensor: stage.gpus.count, layers: stage.layers))
        }
        guard let model = LayoutModel(Layout(stages: stages), on: hardware) else {
            throw ServingError(.plan, "\(name): its stages cannot hold the model")
        }
        return model
    }

    /// What is in time when nobody changes the routes: requests for groups that are down are lost, and what
    /// comes beyond a group's capacity is late.
    func staleAttainment(_ evaluator: inout PlanEvaluator) -> Double {
        let view = StaleRoutes(old, left.map { ($0.name, $0.replica) })
        return view.attainment(&evaluator)
    }

    /// The GPUs that are left, as a cluster of their own.
    func problemOfTheRest() throws(ServingError) -> PlanningProblem {
        var problem = evaluator.problem
        var cluster = problem.hardware.cluster
        for id in lost {
            let name = id.prefix { $0 != "/" }
            guard let index = cluster.nodes.firstIndex(where: { $0.node == name }) else { continue }
            cluster.nodes[index].count -= 1
            guard cluster.nodes[index].count == 0 else { continue }
            cluster.nodes.remove(at: index)
            cluster.links.remove(at: index)
            for row in cluster.links.indices { cluster.links[row].remove(at: index) }
        }
        problem.hardware = try ServingHardware(
            cluster: cluster, model: problem.hardware.model, precision: problem.hardware.precision,
            settings: problem.hardware.settings,
            catalogue: ServingCatalogue(gpus: old.inputs.types, models: []))
        return problem
    }
}

/// The routes of a plan under another workload, or without some of its groups.
private struct StaleRoutes {
    let routes: [ServingPlan.Route]
    let left: [(name: String, replica: PlanEvaluator.Replica)]

    init(_ plan: ServingPlan, _ left: [(String, PlanEvaluator.Replica)]) {
        routes = plan.routes
        self.left = left.map { (name: $0.0, replica: $0.1) }
    }

    func attainment(_ evaluator: inout PlanEvaluator) -> Double {
        let prefill = left.filter { $0.replica.phase != .decode }
        let decode = left.filter { $0.replica.phase != .prefill }
        let problem = evaluator.routes(left.map(\.replica))
        var shares = prefill.map { _ in decode.map { _ in 0.0 } }
        for route in routes {
            guard let row = prefill.firstIndex(where: { $0.name == route.prefill }),
                let column = decode.firstIndex(where: { $0.name == route.decode })
            else { continue }
            shares[row][column] = route.share
        }
        // Beyond its capacity a group serves its capacity, and the rest of what it gets is late.
        let rows = zip(shares, problem.prefillRates).map { row, capacity in
            Self.factor(row.reduce(0, +) * problem.rate, capacity)
        }
        let columns = decode.indices.map { column in
            Self.factor(
                shares.reduce(0) { $0 + $1[column] } * problem.rate, problem.decodeRates[column])
        }
        for row in prefill.indices {
            for column in decode.indices { shares[row][column] *= min(rows[row], columns[column]) }
        }
        let attained = LoadedReplicas(left.map(\.replica), evaluator).attainment(
            shares, rate: problem.rate)
        var sum = 0.0
        for (row, values) in zip(shares, attained) {
            for (share, value) in zip(row, values) { sum += share * value }
        }
        return sum
    }

    private static func factor(_ demand: Double, _ capacity: Double) -> Double {
        demand > capacity ? capacity / demand : 1
    }
}
