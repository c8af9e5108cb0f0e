/// Replicas with GPUs of their own: what a plan is written from.
struct PlanDraft {
    /// A replica and the ids of the GPUs of its stages.
    struct Placed {
        var name: String
        var replica: PlanEvaluator.Replica
        var gpus: [[String]]
    }

    let placed: [Placed]
    let problem: PlanningProblem

    /// Gives every stage the first free GPUs of its node.
    init(_ replicas: [PlanEvaluator.Replica], _ evaluator: PlanEvaluator) {
        let nodes = evaluator.problem.hardware.cluster.nodes
        var next = nodes.map { _ in 0 }
        placed = replicas.enumerated().map { index, replica in
            let gpus = evaluator.costs[replica.layout].model.layout.stages.map { stage in
                defer { next[stage.node] += stage.tensor }
                return (next[stage.node]..<next[stage.node] + stage.tensor).map {
                    "\(nodes[stage.node].node)/\($0)"
                }
            }
            return Placed(name: "g\(index + 1)", replica: replica, gpus: gpus)
        }
        problem = evaluator.problem
    }

    init(_ placed: [Placed], _ evaluator: PlanEvaluator) {
        self.placed = placed
        problem = evaluator.problem
    }

    private var replicas: [PlanEvaluator.Replica] { placed.map(\.replica) }

    /// - Parameter lost: GPUs that are no more.
    func plan(
        _ evaluator: inout PlanEvaluator, kind: ServingPlan.Kind, seed: UInt64, evaluations: Int,
        isCapped: Bool, lost: Set<String> = []
    ) -> ServingPlan {
        let judged = JudgedRoutes(replicas, &evaluator)
        let nodes = problem.hardware.cluster.nodes
        let used = Set(placed.flatMap { $0.gpus.flatMap(\.self) }).union(lost)
        let all = nodes.flatMap { node in (0..<node.count).map { "\(node.node)/\($0)" } }
        return ServingPlan(
            kind: kind, model: problem.hardware.model.name, rate: problem.workload.rate,
            groups: placed.map { group($0, evaluator) }, routes: routes(judged, evaluator),
            spare: all.filter { !used.contains($0) },
            predicted: .init(
                attainment: Rounded.share(judged.attainment),
                goodput: Rounded.rate(goodput(&evaluator))),
            costPerHour: Rounded.rate(
                nodes.indices.reduce(0) { $0 + Self.price($1, problem.hardware) }),
            evaluations: evaluations, seed: seed, searchMs: 0, isCapped: isCapped,
            explanation: explanation(judged, &evaluator), inputs: PlanInputs(problem), repair: nil)
    }

    /// Dollars per hour of a node.
    private static func price(_ node: Int, _ hardware: ServingHardware) -> Double {
        let spec = hardware.cluster.nodes[node]
        return spec.price ?? Double(spec.count) * (hardware.types[node].usualPrice ?? 0)
    }

    private func group(_ placed: Placed, _ evaluator: PlanEvaluator) -> ServingPlan.Group {
        let costs = evaluator.costs[placed.replica.layout]
        let nodes = problem.hardware.cluster.nodes
        let stages = zip(costs.model.layout.stages, placed.gpus).map { stage, gpus in
            ServingPlan.PlacedStage(
                node: nodes[stage.node].node, type: problem.hardware.types[stage.node].name, gpus: gpus,
                layers: stage.layers)
        }
        let cost = costs.model.layout.stages.reduce(0.0) {
            $0 + Self.price($1.node, problem.hardware) * Double($1.tensor)
                / Double(nodes[$1.node].count)
        }
        return ServingPlan.Group(
            name: placed.name, phase: placed.replica.phase, stages: stages,
            prefillRate: Rounded.rate(costs.prefillRate), decodeRate: Rounded.rate(costs.decodeRate),
            batch: costs.batch, kvTokens: costs.model.kvTokens, costPerHour: Rounded.rate(cost))
    }

    private func routes(_ judged: JudgedRoutes, _ evaluator: PlanEvaluator) -> [ServingPlan.Route] {
        let prefill = placed.filter { $0.replica.phase != .decode }
        let decode = placed.filter { $0.replica.phase != .prefill }
        var routes: [ServingPlan.Route] = []
        for (row, source) in prefill.enumerated() {
            let total = judged.routing.prefillShare(row)
            for (column, target) in decode.enumerated() where judged.routing.shares[row][column] > 1e-9 {
                let share = judged.routing.shares[row][column]
                let path = evaluator.path(source.replica.layout, target.replica.layout)
                let prompt = problem.workload.meanPrompt
                let isMoved = source.name != target.name
                let rate = isMoved ? share * problem.workload.rate : 0
                routes.append(
                    ServingPlan.Route(
                        prefill: source.name, decode: target.name, share: Rounded.share(share),
                        weight: Rounded.share(share / total),
                        attainment: Rounded.share(judged.pairs[row][column]),
                        transferSeconds: isMoved ? Rounded.rate(path.seconds(prompt: prompt)) : 0,
                        bytesPerSecond: (rate * prompt * path.bytes(problem.hardware, prompt: prompt))
                            .rounded(),
                        linkUse: Rounded.share(rate * path.busy(prompt: prompt))))
            }
        }
        return routes
    }

    /// The largest rate at which the share that is aimed at is in time.
    func goodput(_ evaluator: inout PlanEvaluator) -> Double {
        let most = evaluator.routes(replicas)
        let target = problem.levels.target
        var low = 0.0
        var high = min(most.prefillRates.reduce(0, +), most.decodeRates.reduce(0, +)) / target
        for _ in 0..<18 where high > 0 {
            let middle = (low + high) / 2
            let judged = JudgedRoutes(replicas, &evaluator, rate: middle)
            if judged.attainment >= target { low = middle } else { high = middle }
        }
        return low
    }

    private func explanation(
        _ judged: JudgedRoutes, _ evaluator: inout PlanEvaluator
    ) -> PlanExplanation {
        let (routes, routing) = (judged.problem, judged.routing)
        let rate = problem.workload.rate
        let prefill = placed.indices.filter { placed[$0].replica.phase != .decode }
        let decode = placed.indices.filter { placed[$0].replica.phase != .prefill }
        var groups: [PlanExplanation.GroupWorth] = []
        for (index, group) in placed.enumerated() {
            let row = prefill.firstIndex(of: index)
            let column = decode.firstIndex(of: index)
            var others = replicas
            others.remove(at: index)
            let without =
                PlanEvaluator.servesSomething(others)
                ? JudgedRoutes(others, &evaluator).attainment : 0
            func use(_ share: Double, _ capacity: Double) -> Double {
                capacity > 0 ? Rounded.share(share * rate / capacity) : 0
            }
            groups.append(
                .init(
                    group: group.name,
                    prefillUse: row.map { use(routing.prefillShare($0), routes.prefillRates[$0]) } ?? 0,
                    decodeUse: column.map { use(routing.decodeShare($0), routes.decodeRates[$0]) } ?? 0,
                    prefillWorth: Rounded.share((row.map { routing.prefillWorth[$0] } ?? 0) / rate),
                    decodeWorth: Rounded.share((column.map { routing.decodeWorth[$0] } ?? 0) / rate),
                    gpuWorth: Rounded.share(max(0, judged.attainment - without))))
        }
        return PlanExplanation(
            binding: Self.binding(routing), requestWorth: Rounded.share(routing.requestWorth / rate),
            groups: groups)
    }

    private static func binding(_ routing: Routing) -> PlanExplanation.Constraint {
        let worth: [(PlanExplanation.Constraint, Double)] = [
            (.prefill, routing.prefillWorth.max() ?? 0), (.decode, routing.decodeWorth.max() ?? 0),
            (.network, routing.linkWorth.flatMap(\.self).max() ?? 0),
        ]
        guard routing.served < 1 - 1e-6, let most = worth.max(by: { $0.1 < $1.1 }), most.1 > 1e-9 else {
            return .none
        }
        return most.0
    }
}

/// Numbers as plans show them: what is left out is below what an estimate knows.
enum Rounded {
    static func share(_ value: Double) -> Double { (value * 1e9).rounded(.down) / 1e9 }

    static func rate(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
}
