import Foundation
import Testing

@testable import ServingPlanning

/// Draws of a test, the same for the same seed.
struct Draws {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func below(_ count: Int) -> Int { random.below(count) }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[random.below(elements.count)] }
}

enum Fixture {
    /// The constants of the golden values, which are rounder than those of any one type.
    static var goldenSettings: CostSettings {
        var settings = CostSettings()
        settings.uniform = .init(prefillMFU: 0.7, weightMBU: 0.75)
        settings.kvReadMBU = 0.75
        settings.stepSeconds = 0
        settings.requestSeconds = 0
        settings.countsHead = false
        return settings
    }

    static let pcie = Link(latency: 20e-6, bandwidth: 22e9)
    static let nvlink = Link(latency: 10e-6, bandwidth: 230e9)

    /// Every pair of nodes over the same link.
    static func cluster(_ nodes: [(type: String, count: Int)], gbit: Double = 40) -> ServingCluster {
        let link = Link(latency: 100e-6, bandwidth: gbit * 1e9 / 8)
        return ServingCluster(
            nodes: nodes.enumerated().map {
                ServingNode(node: "n\($0)", type: $1.type, count: $1.count, price: Double($1.count))
            },
            links: nodes.map { _ in nodes.map { _ in link } })
    }

    /// Requests like those of a conversation: short and long prompts, answers of some hundred tokens.
    static func requests(_ count: Int = 40, seed: UInt64 = 7, prompt: Int = 1200, output: Int = 200)
        -> [RequestSize]
    {
        var draws = Draws(seed: seed)
        return (0..<count).map { _ in
            RequestSize(prompt: 100 + draws.below(2 * prompt - 200), output: 1 + draws.below(2 * output))
        }
    }

    static func problem(
        _ cluster: ServingCluster, model: String = "LLaMA-13B", rate: Double = 3, bits: Int = 4,
        requests: [RequestSize] = requests(), ttft: Double = 3, tpot: Double = 0.2, e2e: Double = 60,
        _ edit: (inout PlanningRules) -> Void = { _ in }
    ) throws -> PlanningProblem {
        let catalogue = try ServingCatalogue.seed()
        var rules = PlanningRules()
        edit(&rules)
        let hardware = try ServingHardware(
            cluster: cluster, model: try catalogue.model(model), precision: .init(kvTransferBits: bits),
            catalogue: catalogue)
        return try PlanningProblem(
            hardware: hardware, workload: try ServingWorkload(rate: rate, requests: requests),
            levels: try ServiceLevels(ttft: ttft, tpot: tpot, e2e: e2e), rules: rules)
    }

    static func plan(_ problem: PlanningProblem, evaluations: Int = 60, seed: UInt64 = 1) throws
        -> ServingPlan
    {
        try ServingPlanner().plan(problem, limits: try SearchLimits(evaluations: evaluations), seed: seed)
    }

    static func json(_ plan: ServingPlan) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(plan)
    }
}

func isNear(_ value: Double, _ expected: Double, within tolerance: Double = 1e-9) -> Bool {
    abs(value - expected) <= tolerance
}
