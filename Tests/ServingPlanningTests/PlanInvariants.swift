@testable import ServingPlanning

/// What must hold of every plan.
enum PlanInvariants {
    /// - Returns: the broken ones in words.
    static func broken(_ plan: ServingPlan) -> [String] {
        var found: [String] = []
        let used = plan.groups.flatMap { $0.stages.flatMap(\.gpus) } + plan.spare
        if Set(used).count != used.count { found.append("a GPU twice") }
        if used.count > plan.inputs.cluster.gpuCount { found.append("GPUs from nowhere") }
        guard let problem = try? plan.inputs.problem() else { return found + ["inputs"] }
        for group in plan.groups {
            if group.stages.reduce(0, { $0 + $1.layers }) != plan.inputs.model.layers {
                found.append("layers of \(group.name)")
            }
            if group.stages.count > plan.inputs.rules.maxStages { found.append("stages of \(group.name)") }
            for stage in group.stages where stage.gpus.contains(where: { !$0.hasPrefix(stage.node + "/") }) {
                found.append("a block of \(group.name) across nodes")
            }
            if (try? BrokenPlan.layout(group, problem.hardware)) == nil {
                found.append("memory of \(group.name)")
            }
        }
        return found + routes(plan)
    }

    private static func routes(_ plan: ServingPlan) -> [String] {
        var found: [String] = []
        if plan.routes.reduce(0, { $0 + $1.share }) > 1 + 1e-6 { found.append("more than all requests") }
        for group in plan.groups {
            let prompts = plan.routes.filter { $0.prefill == group.name }
            let answers = plan.routes.filter { $0.decode == group.name }
            if !prompts.isEmpty, abs(prompts.reduce(0) { $0 + $1.weight } - 1) > 1e-6 {
                found.append("weights of \(group.name)")
            }
            if !prompts.isEmpty, group.phase == .decode { found.append("prompts for \(group.name)") }
            if !answers.isEmpty, group.phase == .prefill { found.append("answers by \(group.name)") }
            let tolerance = 1 + 1e-6
            if prompts.reduce(0, { $0 + $1.share }) * plan.rate > group.prefillRate * tolerance {
                found.append("too many prompts for \(group.name)")
            }
            if answers.reduce(0, { $0 + $1.share }) * plan.rate > group.decodeRate * tolerance {
                found.append("too many answers by \(group.name)")
            }
        }
        for route in plan.routes where !(0...1).contains(route.attainment) {
            found.append("attainment of \(route)")
        }
        return found
    }
}
