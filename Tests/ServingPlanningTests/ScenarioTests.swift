import Testing

@testable import ServingPlanning

/// Situations in which it is known what a good plan does.
struct ScenarioTests {
    /// Four A40 beside four RTX-3090Ti, and conversations with LLaMA-13B.
    private func pair(gbit: Double, bits: Int) throws -> PlanningProblem {
        try Fixture.problem(
            Fixture.cluster([("A40", 4), ("RTX-3090Ti", 4)], gbit: gbit), rate: 4, bits: bits,
            requests: AzureSample.conversation, ttft: 2.5, tpot: 0.25)
    }

    private func goodput(_ plan: ServingPlan) throws -> Double {
        let sizes = TimedRequest.shuffled(
            (0..<10).flatMap { _ in plan.inputs.workload.samples }, seed: 5)
        return try PlanSimulation(plan).goodput(sizes, seed: 5)
    }

    /// GPUs with much arithmetic take prompts, those with much bandwidth tokens; what a narrow network costs is
    /// bounded, and fewer bits on it pay.
    @Test func aNarrowNetworkCostsLittleWithFewBits() throws {
        var plans: [String: ServingPlan] = [:]
        var served: [String: Double] = [:]
        for (gbit, bits) in [(40.0, 4), (40, 16), (5, 4), (5, 16)] {
            let plan = try Fixture.plan(try pair(gbit: gbit, bits: bits), evaluations: 200)
            plans["\(Int(gbit))/\(bits)"] = plan
            served["\(Int(gbit))/\(bits)"] = try goodput(plan)
        }
        let rate = { (key: String) in served[key] ?? 0 }
        for bits in [4, 16] {
            let ratio = rate("5/\(bits)") / rate("40/\(bits)")
            #expect((0.65...0.95).contains(ratio), "\(served)")
        }
        // A wide network carries sixteen bits in time too.
        #expect(rate("5/4") > rate("5/16") && rate("40/4") >= rate("40/16"), "\(served)")
        let wide = try #require(plans["40/4"])
        for group in wide.groups where group.phase == .prefill {
            #expect(group.stages.allSatisfy { $0.type == "A40" })
        }
        for stage in wide.groups.flatMap(\.stages) where stage.type == "RTX-3090Ti" {
            #expect(wide.groups.contains { $0.phase == .decode && $0.stages.contains(stage) })
        }
    }

    private static let mixed = Fixture.cluster(
        [("A40", 4), ("A40", 4), ("RTX-3090Ti", 4), ("RTX-3090Ti", 4), ("RTX-A6000", 4)], gbit: 20)

    /// From code to conversations at a rate at which the old plan keeps three to five of ten in time.
    @Test(arguments: [6.0])
    func aShiftIsMetAtOnceAndThenWholly(rate: Double) throws {
        let problem = try Fixture.problem(
            Self.mixed, model: "LLaMA-30B", rate: rate, requests: AzureSample.code, ttft: 4, tpot: 0.25)
        let plan = try Fixture.plan(problem, evaluations: 200)
        let shifted = try ServingWorkload(rate: rate, requests: AzureSample.conversation)
        let light = try ServingPlanner().repair(
            plan, after: .shift(shifted), full: try SearchLimits(evaluations: 200))
        let repair = try #require(light.repair)
        let full = try #require(repair.proposal)
        let found = (repair.staleAttainment, light.predicted.attainment, full.attainment)
        #expect((0.3...0.55).contains(found.0), "\(found)")
        #expect(found.1 >= found.0 + 0.1 && found.2 > found.1, "\(found)")
        #expect(light.groups.map(\.stages) == plan.groups.map(\.stages))
    }
}
