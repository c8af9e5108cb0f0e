/// A group whose weights are where they are.
public struct StandingGroup: Sendable, Hashable {
    public var name: String
    public var phase: Phase
    public var stages: [ServingPlan.PlacedStage]

    public init(name: String, phase: Phase, stages: [ServingPlan.PlacedStage]) {
        self.name = name
        self.phase = phase
        self.stages = stages
    }
}

extension ServingPlanner {
    /// Share of the requests that other phases of standing groups have to gain: what drains serves less for
    /// a while.
    static let leastGain = 0.03

    private static func pays(
        _ next: [PlanEvaluator.Replica], instead old: [PlanEvaluator.Replica],
        _ evaluator: inout PlanEvaluator
    ) -> Bool {
        guard PlanEvaluator.servesSomething(old) else { return true }
        let gained = JudgedRoutes(next, &evaluator).attainment
        return gained >= JudgedRoutes(old, &evaluator).attainment + leastGain
    }

    /// The best phases and routes of groups that stand: nothing is loaded and nothing moves.
    ///
    /// - Parameter seconds: after which the search for phases ends.
    /// - Throws: `ServingError` of code `plan` for groups that cannot be, `infeasible` when they serve nothing.
    public func plan(
        standing groups: [StandingGroup], _ problem: PlanningProblem, seconds: Double = 1, seed: UInt64
    ) throws(ServingError) -> ServingPlan {
        let watch = Stopwatch(uptime)
        var evaluator = PlanEvaluator(problem)
        var placed: [PlanDraft.Placed] = []
        for group in groups {
            let costs = LayoutCosts(
                try BrokenPlan.layout(named: group.name, group.stages, problem.hardware),
                workload: problem.workload, levels: problem.levels,
                request: problem.hardware.settings.requestSeconds)
            placed.append(
                .init(
                    name: group.name, replica: .init(layout: evaluator.add(costs), phase: group.phase),
                    gpus: group.stages.map(\.gpus)))
        }
        var found = PhaseSearch.run(
            placed.map(\.replica), &evaluator, isOverdue: { watch.milliseconds > seconds * 1000 })
        if !Self.pays(found.replicas, instead: placed.map(\.replica), &evaluator) {
            found.replicas = placed.map(\.replica)
        }
        guard PlanEvaluator.servesSomething(found.replicas) else {
            throw ServingError(.infeasible, "no group is left for prefill or for decoding")
        }
        for index in placed.indices { placed[index].replica = found.replicas[index] }
        var plan = PlanDraft(placed, evaluator).plan(
            &evaluator, kind: .light, seed: seed, evaluations: found.evaluations, isCapped: found.isCapped)
        plan.searchMs = Rounded.rate(watch.milliseconds)
        return plan
    }
}
