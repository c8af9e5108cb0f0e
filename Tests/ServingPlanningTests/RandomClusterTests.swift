import Testing

@testable import ServingPlanning

struct RandomClusterTests {
    private static let types = [
        "A40", "RTX-3090Ti", "RTX-A6000", "RTX-A5000", "A100-80-SXM", "L4", "L40S", "H100-SXM", "T4",
        "RTX-4090",
    ]
    private static let models = ["LLaMA-7B", "LLaMA-13B", "Llama-3.1-8B", "Qwen3-30B-A3B", "OPT-13B"]

    private func problem(_ draws: inout Draws, largest: Int) throws -> PlanningProblem {
        var nodes: [(type: String, count: Int)] = []
        let size = 2 + draws.below(largest - 1)
        while nodes.reduce(0, { $0 + $1.count }) < size {
            let left = size - nodes.reduce(0) { $0 + $1.count }
            nodes.append((draws.one(of: Self.types), min(left, draws.one(of: [1, 1, 2, 3, 4, 4, 8]))))
        }
        var cluster = Fixture.cluster(nodes)
        for row in nodes.indices {
            for column in nodes.indices {
                cluster.links[row][column] = Link(
                    latency: 1e-4, bandwidth: draws.one(of: [0.625e9, 1.25e9, 5e9, 12e9]))
            }
        }
        return try Fixture.problem(
            cluster, model: draws.one(of: Self.models), rate: Double(1 + draws.below(30)),
            bits: draws.one(of: [4, 8, 16]),
            requests: Fixture.requests(12, seed: UInt64(draws.below(1000))))
    }

    /// Whether plans of random clusters, and what is left of them without a GPU, keep all invariants.
    @Test(arguments: 0..<4) func plansOfRandomClustersKeepTheInvariants(part: Int) throws {
        var planned = 0
        for seed in stride(from: part, to: 1000, by: 4) {
            var draws = Draws(seed: UInt64(seed))
            let problem = try problem(&draws, largest: seed % 250 == 0 ? 32 : 8)
            guard
                let plan = try Self.unlessInfeasible({
                    try Fixture.plan(problem, evaluations: 4, seed: UInt64(seed))
                })
            else { continue }
            planned += 1
            #expect(PlanInvariants.broken(plan) == [], "seed \(seed)")
            if seed % 10 == 0 { try checkRepair(of: plan, &draws, seed) }
        }
        #expect(planned > 125, "\(planned)")
    }

    /// - Returns: nil when nothing can serve the model.
    private static func unlessInfeasible(_ body: () throws -> ServingPlan) throws -> ServingPlan? {
        do {
            return try body()
        } catch {
            guard (error as? ServingError)?.code == .infeasible else { throw error }
            return nil
        }
    }

    private func checkRepair(of plan: ServingPlan, _ draws: inout Draws, _ seed: Int) throws {
        let gpus = plan.groups.flatMap { $0.stages.flatMap(\.gpus) }
        let lost = draws.one(of: gpus)
        guard
            let repaired = try Self.unlessInfeasible({
                try ServingPlanner().repair(plan, after: .gpuLost(lost))
            })
        else { return }
        #expect(PlanInvariants.broken(repaired) == [], "seed \(seed), without \(lost)")
        #expect(!repaired.groups.contains { $0.stages.contains { $0.gpus.contains(lost) } }, "seed \(seed)")
        for group in repaired.groups {
            let before = plan.groups.first { $0.name == group.name }
            #expect(before?.stages == group.stages, "seed \(seed): \(group.name) was moved")
        }
    }
}
