/// How others divide GPUs, for comparison on the same hardware, costs and requests.
public enum ServingBaseline: String, Sendable, Hashable, Codable, CaseIterable {
    /// Replicas for both phases within machines, of equal size within a machine, as vLLM is mostly run.
    case vllm
    /// Prefill and decode apart, each type of GPU with one size of replica for either, within machines, as
    /// DistServe divides GPUs of one type.
    case distserve
    /// Replicas of any GPUs for both phases, as HexGen places them.
    case hexgen
}

/// Divisions of whole machines by choices for each machine or type of GPU, improved one choice at a time.
struct BaselineSearch {
    let problem: PlanningProblem
    let baseline: ServingBaseline
    /// Divisions that are judged, at most.
    var limit = Int.max

    /// What may be chosen at one place: the groups that it makes there.
    private typealias Choices = [[PlanEvaluator.Member]]

    struct Outcome {
        var members: [PlanEvaluator.Member]
        var replicas: [PlanEvaluator.Replica]
        var evaluations: Int
    }

    /// - Returns: nil when nothing can be served so.
    func run(_ evaluator: inout PlanEvaluator) -> Outcome? {
        let places = places(&evaluator).filter { !$0.isEmpty }
        guard !places.isEmpty else { return nil }
        var chosen = places.map { $0.count / 2 }
        var best: (outcome: Outcome, rank: PlanRank)?
        var evaluations = 0
        func members(_ chosen: [Int]) -> [PlanEvaluator.Member] {
            zip(places, chosen).flatMap { $0[$1] }
        }
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for place in places.indices {
                for option in places[place].indices {
                    var trial = chosen
                    trial[place] = option
                    let members = members(trial)
                    guard evaluations < limit, let replicas = evaluator.replicas(members) else { continue }
                    evaluations += 1
                    let rank = evaluator.rank(replicas)
                    if best.map({ rank > $0.rank }) ?? true {
                        best = (.init(members: members, replicas: replicas, evaluations: 0), rank)
                        chosen = trial
                        hasChanged = true
                    }
                }
            }
        }
        best?.outcome.evaluations = evaluations
        return best?.outcome
    }

    private func places(_ evaluator: inout PlanEvaluator) -> [Choices] {
        let nodes = problem.hardware.cluster.nodes
        guard baseline == .distserve else {
            return nodes.indices.map { together($0, &evaluator) }
        }
        var byType: [String: [Int]] = [:]
        for node in nodes.indices { byType[nodes[node].type, default: []].append(node) }
        return byType.sorted { $0.key < $1.key }.map { apart($0.value, &evaluator) }
    }

    /// A machine's GPUs in equal replicas for both phases.
    private func together(_ node: Int, _ evaluator: inout PlanEvaluator) -> Choices {
        let count = problem.hardware.cluster.nodes[node].count
        return Self.sizes(count).compactMap { size in
            let member = PlanEvaluator.Member(shape: GroupShape([(node, size)]), phase: .both)
            guard evaluator.layout(member) != nil else { return nil }
            return Array(repeating: member, count: count / size)
        }
    }

    /// The machines of a type with so many of their GPUs, from the first on, in replicas for prefill.
    private func apart(_ nodes: [Int], _ evaluator: inout PlanEvaluator) -> Choices {
        let counts = nodes.map { problem.hardware.cluster.nodes[$0].count }
        let sizes = Self.sizes(counts.max() ?? 0)
        let total = counts.reduce(0, +)
        var found: Choices = []
        for prefill in sizes {
            for decode in sizes {
                for share in stride(from: prefill, to: total, by: prefill) {
                    var left = share
                    var members: [PlanEvaluator.Member] = []
                    for (node, count) in zip(nodes, counts) {
                        let first = min(left, count) / prefill * prefill
                        left -= first
                        members += Self.groups(node, first / prefill, prefill, .prefill)
                        members += Self.groups(node, (count - first) / decode, decode, .decode)
                    }
                    if left == 0, members.allSatisfy({ evaluator.layout($0) != nil }) {
                        found.append(members)
                    }
                }
            }
        }
        return found
    }

    private static func groups(_ node: Int, _ count: Int, _ size: Int, _ phase: Phase)
        -> [PlanEvaluator.Member]
    {
        Array(repeating: .init(shape: GroupShape([(node, size)]), phase: phase), count: count)
    }

    /// Powers of two up to a number.
    private static func sizes(_ most: Int) -> [Int] {
        Array(sequence(first: 1) { $0 * 2 <= most ? $0 * 2 : nil })
    }
}

extension ServingPlanner {
    /// A plan as another system would make it.
    ///
    /// - Parameters:
    ///   - limits: of the search of `hexgen`; the others try all that they have.
    ///   - seconds: after which the search of `hexgen` ends with what it has.
    /// - Throws: `ServingError` of code `infeasible` when nothing can be served so.
    public func plan(
        _ problem: PlanningProblem, as baseline: ServingBaseline, limits: SearchLimits,
        seconds: Double = .infinity, seed: UInt64
    ) throws(ServingError) -> ServingPlan {
        var problem = problem
        // Others do not keep a second replica for each phase.
        problem.rules.avoidsSinglePoints = false
        problem.rules.phases = baseline == .distserve ? [.prefill, .decode] : [.both]
        if baseline == .hexgen { return try plan(problem, limits: limits, seconds: seconds, seed: seed) }
        let watch = Stopwatch(uptime)
        var evaluator = PlanEvaluator(problem)
        guard let found = BaselineSearch(problem: problem, baseline: baseline).run(&evaluator) else {
            throw Self.infeasible(problem)
        }
        var plan = PlanDraft(found.replicas, evaluator).plan(
            &evaluator, kind: .full, seed: seed, evaluations: found.evaluations, isCapped: false)
        plan.searchMs = Rounded.rate(watch.milliseconds)
        return plan
    }
}
