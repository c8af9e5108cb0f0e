/// Several searches that share a number of evaluations, so that no simpler plan is overlooked: how others would
/// divide the GPUs, groups of one phase each, groups for both phases alone, and from the best of those on,
/// groups of any phase.
struct PlanSearch {
    let problem: PlanningProblem
    let limits: SearchLimits
    let seed: UInt64

    /// Fewer evaluations than this are one search's.
    static let leastShared = 32

    private typealias Outcome = TabuSearch.Outcome

    /// - Parameter isOverdue: asked before each step.
    /// - Returns: candidates for a closer look, each once; nil when no groups can serve the model.
    func run(_ evaluator: inout PlanEvaluator, isOverdue: () -> Bool) -> TabuSearch.Outcome? {
        guard limits.evaluations >= Self.leastShared else {
            return TabuSearch(problem: problem, limits: limits, seed: seed).run(
                &evaluator, isOverdue: isOverdue)
        }
        let simple = simple(&evaluator)
        var left = limits.evaluations - simple.evaluations
        var outcomes: [Outcome] = []
        func search(
            _ problem: PlanningProblem, _ evaluations: Int, starts: [SearchState],
            _ evaluator: inout PlanEvaluator
        ) {
            var limits = limits
            limits.evaluations = max(1, evaluations)
            let search = TabuSearch(problem: problem, limits: limits, seed: seed, starts: starts)
            guard left > 0, let found = search.run(&evaluator, isOverdue: isOverdue) else { return }
            left -= found.evaluations
            outcomes.append(found)
        }
        // Groups for both phases are a valley: a search that may use them seldom finds out of it to parted ones.
        if Set(problem.rules.phases) == Set(Phase.allCases) {
            for (phases, evaluations) in [([Phase.prefill, .decode], left / 2), ([.both], left / 10)] {
                var part = problem
                part.rules.phases = phases
                let starts = simple.states.filter { $0.members.allSatisfy { $0.phase == .both } }
                search(part, evaluations, starts: phases == [.both] ? starts : [], &evaluator)
            }
        }
        search(problem, left, starts: outcomes.compactMap(\.states.first) + simple.states, &evaluator)
        guard !outcomes.isEmpty else { return nil }
        return Outcome(
            candidates: Self.once(outcomes.flatMap(\.candidates) + simple.candidates), states: [],
            evaluations: limits.evaluations - left, isCapped: outcomes.contains(where: \.isCapped))
    }

    /// What others would do, as far as the rules allow it.
    private func simple(
        _ evaluator: inout PlanEvaluator
    ) -> (states: [SearchState], candidates: [[PlanEvaluator.Replica]], evaluations: Int) {
        var states: [SearchState] = []
        var candidates: [[PlanEvaluator.Replica]] = []
        var evaluations = 0
        let kinds: [(ServingBaseline, [Phase])] = [(.vllm, [.both]), (.distserve, [.prefill, .decode])]
        for (kind, phases) in kinds where phases.allSatisfy(problem.rules.phases.contains) {
            let search = BaselineSearch(
                problem: problem, baseline: kind, limit: limits.evaluations / (kind == .vllm ? 10 : 20))
            guard let found = search.run(&evaluator) else { continue }
            evaluations += found.evaluations
            states.append(SearchState(found.members, spare: spare(found.members)))
            candidates.append(found.replicas)
        }
        return (states, candidates, evaluations)
    }

    /// The GPUs of which no member has anything.
    private func spare(_ members: [PlanEvaluator.Member]) -> GroupShape {
        let nodes = problem.hardware.cluster.nodes
        var spare = GroupShape(nodes.indices.map { ($0, nodes[$0].count) })
        for share in members.flatMap(\.shape.shares) { spare.add(node: share.node, -share.count) }
        return spare
    }

    /// In the order in which they come first; the order of replicas within a candidate does not count.
    private static func once(_ candidates: [[PlanEvaluator.Replica]]) -> [[PlanEvaluator.Replica]] {
        var seen: Set<[PlanEvaluator.Replica]> = []
        return candidates.filter { candidate in
            let key = candidate.sorted {
                ($0.layout, $0.phase.rawValue) < ($1.layout, $1.phase.rawValue)
            }
            return seen.insert(key).inserted
        }
    }
}
