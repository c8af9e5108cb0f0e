import Testing

@testable import ServingPlanning

struct RepairTests {
    private static let cluster = Fixture.cluster([
        ("A40", 4), ("A40", 4), ("RTX-3090Ti", 4), ("RTX-3090Ti", 4), ("RTX-A6000", 4),
    ])
    private static let code = Fixture.requests(40, seed: 1, prompt: 2000, output: 20)
    private static let conversation = Fixture.requests(40, seed: 2, prompt: 800, output: 400)

    private func plan(_ requests: [RequestSize], rate: Double) throws -> ServingPlan {
        try Fixture.plan(
            try Fixture.problem(Self.cluster, rate: rate, requests: requests) {
                $0.phases = [.prefill, .decode]
            }, evaluations: 200)
    }

    @Test func aLostGPUTakesItsGroupDownAndNoRouteGoesThere() throws {
        let plan = try plan(Self.conversation, rate: 6)
        let victim = try #require(plan.groups.first { $0.phase == .decode })
        let lost = try #require(victim.stages.first?.gpus.first)
        let repaired = try ServingPlanner().repair(plan, after: .gpuLost(lost))
        let repair = try #require(repaired.repair)
        #expect(repair.down == [victim.name] && repair.event == "gpu-lost:\(lost)")
        #expect(!repaired.routes.contains { $0.decode == victim.name || $0.prefill == victim.name })
        #expect(repair.routesAttainment >= repair.staleAttainment - 1e-6)
        #expect(repaired.predicted.attainment >= repair.routesAttainment - 1e-6)
        #expect(repaired.kind == .light && !repaired.spare.contains(lost))
        // What was repaired can be repaired again.
        let next = try #require(repaired.groups.first?.stages.first?.gpus.first)
        #expect(
            try ServingPlanner().repair(repaired, after: .gpuLost(next)).groups.count < repaired.groups.count)
    }

    @Test func aShiftFlipsPhasesAndGains() throws {
        let plan = try plan(Self.code, rate: 8)
        let shifted = try ServingWorkload(rate: 8, requests: Self.conversation)
        let repaired = try ServingPlanner().repair(
            plan, after: .shift(shifted), full: try SearchLimits(evaluations: 200))
        let repair = try #require(repaired.repair)
        let full = try #require(repair.proposal)
        #expect(repaired.groups.map(\.stages) == plan.groups.map(\.stages))
        #expect(repaired.predicted.attainment >= repair.staleAttainment - 1e-6)
        #expect(full.attainment >= repaired.predicted.attainment - 0.02)
        #expect(full.reloadSeconds > 60)
    }

    /// By the way that a repair takes: without the GPU, and with routes made anew.
    @Test func aGPUIsWorthWhatItsLossCosts() throws {
        let plan = try plan(Self.conversation, rate: 8)
        var worth = 0.0
        for group in plan.groups {
            let own = try #require(plan.explanation.groups.first { $0.group == group.name })
            let lost = try #require(group.stages.last?.gpus.last)
            let repair = try #require(try ServingPlanner().repair(plan, after: .gpuLost(lost)).repair)
            let loss = max(0, plan.predicted.attainment - repair.routesAttainment)
            #expect(isNear(own.gpuWorth, loss, within: 1e-6), "\(group.name)")
            worth = max(worth, own.gpuWorth)
        }
        #expect(worth > 0.01)
    }

    @Test func whatIsNotInThePlanIsRefused() throws {
        let plan = try plan(Self.conversation, rate: 2)
        let error = #expect(throws: ServingError.self) {
            try ServingPlanner().repair(plan, after: .gpuLost("n0/9"))
        }
        #expect(error?.code == .event && error?.choices.contains("n0/0") == true)
    }

    @Test func moneyIsNotSpentForNothing() throws {
        var offers = Fixture.cluster([("A40", 2), ("RTX-3090Ti", 4), ("A100-80-SXM", 4), ("RTX-A6000", 2)])
        for (index, price) in [1.2, 0.8, 6.0, 1.4].enumerated() { offers.nodes[index].price = price }
        let limits = try SearchLimits(evaluations: 60)
        let problem = try Fixture.problem(offers, rate: 1, requests: Self.conversation) {
            $0.avoidsSinglePoints = false
        }
        let planner = ServingPlanner()
        let rich = try planner.rent(problem, within: 3, cheapest: false, limits: limits, seed: 1)
        #expect(rich.costPerHour <= 3)
        let cheap = try planner.rent(problem, within: nil, cheapest: true, limits: limits, seed: 1)
        #expect(cheap.predicted.attainment >= 0.9 && cheap.costPerHour <= rich.costPerHour)
        let frontier = try planner.frontier(problem, within: nil, steps: 4, seed: 1)
        #expect(frontier.points.map(\.costPerHour) == frontier.points.map(\.costPerHour).sorted())
        #expect(frontier.points.map(\.attainment) == frontier.points.map(\.attainment).sorted())
        #expect(try #require(frontier.points.last).attainment >= 0.9 && !frontier.isCapped)
        #expect(throws: ServingError.self) { try planner.frontier(problem, within: 0.1, steps: 4, seed: 1) }
        #expect(throws: ServingError.self) {
            try planner.rent(problem, within: 0.1, cheapest: false, limits: limits, seed: 1)
        }
        // At twice the price the cheapest GPUs are left, and the target is kept.
        #expect(cheap.inputs.cluster.nodes.map(\.type) == ["RTX-3090Ti"])
        var shocked = offers
        for index in shocked.nodes.indices where shocked.nodes[index].type == "RTX-3090Ti" {
            shocked.nodes[index].price = shocked.nodes[index].price.map { $0 * 2 }
        }
        let other = try planner.rent(
            try Fixture.problem(shocked, rate: 1, requests: Self.conversation) {
                $0.avoidsSinglePoints = false
            }, within: nil, cheapest: true, limits: limits, seed: 1)
        #expect(other.predicted.attainment >= 0.9)
        #expect(!other.inputs.cluster.nodes.contains { $0.type == "RTX-3090Ti" })
    }
}
