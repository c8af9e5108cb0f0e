import Foundation
import Synchronization
import Testing

@testable import ServingPlanning

struct PlanTests {
    private static let mixed = Fixture.cluster([("A40", 4), ("RTX-3090Ti", 4), ("RTX-A6000", 2)])

    @Test func equalSeedsGiveEqualPlans() throws {
        let problem = try Fixture.problem(Self.mixed)
        let first = try Fixture.json(try Fixture.plan(problem))
        #expect(try Fixture.json(try Fixture.plan(problem)) == first)
        let plan = try JSONDecoder().decode(ServingPlan.self, from: first)
        #expect(try Fixture.json(plan) == first)
    }

    @Test func theSearchStopsOnItsEvaluations() throws {
        let problem = try Fixture.problem(Self.mixed)
        for evaluations in [1, 37, 90] {
            #expect(try Fixture.plan(problem, evaluations: evaluations).evaluations == evaluations)
        }
    }

    @Test func timeCapsTheSearchAndIsReported() throws {
        let problem = try Fixture.problem(Self.mixed)
        let ticks = Ticks()
        let planner = ServingPlanner(uptime: { ticks.next() })
        let plan = try planner.plan(
            problem, limits: try SearchLimits(evaluations: 100_000), seconds: 1, seed: 1)
        #expect(plan.isCapped && plan.evaluations < 100_000 && plan.searchMs > 1000)
    }

    @Test func bothPhasesOfAMixAreUsed() throws {
        let plan = try Fixture.plan(
            try Fixture.problem(Self.mixed, rate: 8) { $0.phases = [.prefill, .decode] }, evaluations: 150)
        #expect(Set(plan.groups.map(\.phase)) == [.prefill, .decode])
        #expect(PlanInvariants.broken(plan) == [])
        #expect(plan.predicted.attainment > 0.5 && plan.predicted.goodput > 1)
        // What is sent is keys and values of prompts in four bits and their scales, and links have the room.
        let tokens = plan.inputs.workload.meanPrompt * Double(plan.inputs.model.layers)
        for route in plan.routes {
            let bytes = tokens * plan.inputs.model.kvElements * 4.5 / 8 * route.share * plan.rate
            let sent = try #require(route.bytesPerSecond)
            #expect(abs(sent / bytes - 1) < 1e-6)
            let use = try #require(route.linkUse)
            #expect(use > 0 && use <= plan.inputs.rules.networkUse + 1e-6)
        }
    }

    /// Colocation is an option, and one machine of fast equal GPUs is best used whole.
    @Test func equalGPUsAreNotLeftIdle() throws {
        let cluster = Fixture.cluster([("A100-80-SXM", 8)])
        func goodput(_ count: Int) throws -> Double {
            let part = Fixture.cluster([("A100-80-SXM", count)])
            return try Fixture.plan(try Fixture.problem(part, rate: 60), evaluations: 60).predicted.goodput
        }
        let whole = try Fixture.plan(try Fixture.problem(cluster, rate: 60), evaluations: 60)
        #expect(whole.spare.isEmpty)
        for count in 1..<8 { #expect(try goodput(count) < whole.predicted.goodput, "\(count)") }
    }

    /// By the simulator that judges all of them, with arrivals that no search saw.
    @Test(arguments: [6.0, 12])
    func nobodyElseServesMore(rate: Double) throws {
        let cluster = Fixture.cluster(
            [("A40", 4), ("RTX-3090Ti", 4), ("A40", 2), ("RTX-A6000", 2)], gbit: 10)
        let problem = try Fixture.problem(cluster, rate: rate)
        let sizes = TimedRequest.shuffled(
            (0..<20).flatMap { _ in problem.workload.samples }, seed: 9)
        func goodput(_ plan: ServingPlan) throws -> Double {
            try PlanSimulation(plan).goodput(sizes, seed: 9)
        }
        let ours = try goodput(try Fixture.plan(problem, evaluations: 300))
        for baseline in ServingBaseline.allCases {
            // What two draws of arrivals differ by.
            #expect(ours >= 0.97 * (try goodput(try plan(problem, baseline))), "\(baseline)")
        }
    }

    @Test func baselinesDivideAsTheOthersDo() throws {
        let cluster = Fixture.cluster([("A40", 4), ("RTX-3090Ti", 4), ("A40", 2), ("RTX-A6000", 2)])
        let problem = try Fixture.problem(cluster, rate: 8)
        /// Nodes and numbers of GPUs of a group.
        func nodes(_ group: ServingPlan.Group) -> Set<String> {
            Set(group.stages.flatMap { $0.gpus.map { String($0.prefix { $0 != "/" }) } })
        }
        for baseline in ServingBaseline.allCases {
            let plan = try plan(problem, baseline)
            #expect(try Fixture.json(plan) == Fixture.json(try self.plan(problem, baseline)))
            #expect(PlanInvariants.broken(plan) == [])
            #expect(plan.predicted.goodput > 0)
            let phases = Set(plan.groups.map(\.phase))
            #expect(phases == (baseline == .distserve ? [.prefill, .decode] : [.both]))
            guard baseline != .hexgen else { continue }
            #expect(plan.groups.allSatisfy { nodes($0).count == 1 })
            let sizes = Dictionary(grouping: plan.groups) { group in
                let node = nodes(group).first ?? ""
                let type = cluster.nodes.first { $0.node == node }?.type ?? ""
                return "\(baseline == .vllm ? node : type) \(group.phase)"
            }
            for (place, groups) in sizes {
                #expect(Set(groups.map { $0.stages.reduce(0) { $0 + $1.gpus.count } }).count == 1, "\(place)")
            }
        }
    }

    private func plan(_ problem: PlanningProblem, _ baseline: ServingBaseline) throws -> ServingPlan {
        try ServingPlanner().plan(problem, as: baseline, limits: try SearchLimits(evaluations: 60), seed: 1)
    }

    @Test func pricesChangeNothingButTheCost() throws {
        let plain = try Fixture.plan(try Fixture.problem(Self.mixed))
        var dear = Self.mixed
        for index in dear.nodes.indices { dear.nodes[index].price = dear.nodes[index].price.map { $0 * 3 } }
        let other = try Fixture.plan(try Fixture.problem(dear))
        #expect(other.routes == plain.routes && other.groups.map(\.stages) == plain.groups.map(\.stages))
        #expect(isNear(other.costPerHour, 3 * plain.costPerHour))
    }

    @Test func theOrderOfNodesChangesNothingForAPlan() throws {
        let plan = try Fixture.plan(try Fixture.problem(Self.mixed))
        var turned = plan
        turned.inputs.cluster.nodes.reverse()
        turned.inputs.cluster.links = plan.inputs.cluster.links.reversed().map { $0.reversed() }
        let requests = TimedRequest.poisson(Fixture.requests(200), rate: 3, seed: 1)
        #expect(try PlanSimulation(turned).run(requests) == PlanSimulation(plan).run(requests))
    }

    @Test func fewerBitsAreNeverWorseForAPlan() throws {
        for gbit in [1.0, 5, 40] {
            let cluster = Fixture.cluster([("A40", 4), ("RTX-3090Ti", 4)], gbit: gbit)
            let problem = try Fixture.problem(cluster, rate: 6) { $0.phases = [.prefill, .decode] }
            let plan = try Fixture.plan(problem, evaluations: 40)
            let values = try [4, 8, 16].map { bits in
                var other = plan
                other.inputs.precision.kvTransferBits = bits
                let broken = try BrokenPlan(other, .shift(problem.workload))
                var evaluator = broken.evaluator
                return evaluator.routes(broken.left.map(\.replica)).solve().attainment
            }
            #expect(values[0] >= values[1] - 1e-9 && values[1] >= values[2] - 1e-9, "\(values)")
        }
    }

    @Test func attainmentFallsAsRequestsIncrease() throws {
        var before = 1.0
        for rate in [1.0, 6, 24, 96] {
            let plan = try Fixture.plan(try Fixture.problem(Self.mixed, rate: rate), evaluations: 80)
            #expect(plan.predicted.attainment <= before + 0.01, "\(rate)")
            before = plan.predicted.attainment
        }
        #expect(before < 0.5)
    }

    @Test func aFleetTooSmallIsRefusedWithNumbers() throws {
        let problem = try Fixture.problem(Fixture.cluster([("L4", 1)]), model: "Llama-3.1-70B")
        let error = #expect(throws: ServingError.self) { try Fixture.plan(problem) }
        #expect(error?.code == .infeasible)
        #expect(
            error?.message
                == "Llama-3.1-70B cannot be served here: the weights need 150 GB and all GPUs together have "
                + "room for 20 GB")
    }

    @Test func predictionsHoldInASimulation() throws {
        let problem = try Fixture.problem(Self.mixed, rate: 4)
        let plan = try Fixture.plan(problem, evaluations: 100)
        var sizes: [RequestSize] = []
        for _ in 0..<30 { sizes += problem.workload.samples }
        let requests = TimedRequest.poisson(TimedRequest.shuffled(sizes, seed: 3), rate: 4, seed: 3)
        let service = try PlanSimulation(plan).run(requests)
        #expect(abs(service.attainment - plan.predicted.attainment) < 0.1, "\(service)")
    }
}

/// A clock that goes a tenth of a second further at each look.
private final class Ticks: Sendable {
    private let looks = Mutex(0)

    func next() -> Duration {
        looks.withLock { count in
            count += 1
            return .milliseconds(100 * count)
        }
    }
}
