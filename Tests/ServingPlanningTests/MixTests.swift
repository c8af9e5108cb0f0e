import Foundation
import Testing

@testable import ServingPlanning

struct MixTests {
    /// The example of Mélange's solver and of AIBrix's GPU optimizer (Apache-2.0).
    private static let example = """
        {"gpu_info": {"A10G": {"cost": 1.01, "tputs": [[2, 1], [5, 2]]},
                      "A100-80GB": {"cost": 3.67, "tputs": [[20, 20], [40, 20]]}},
         "workload_distribution": [[0.2, 0.1], [0.5, 0.2]], "total_request_rate": 30.0, "slice_factor": 1}
        """

    @Test func theExampleCostsWhatItsAuthorsFound() throws {
        let problem = try MixProblem(json: Data(Self.example.utf8))
        let mix = try GPUMixPlanner().plan(problem)
        #expect(mix.costPerHour == 6.7)
        #expect(mix.gpus.map(\.name) == ["A100-80GB", "A10G"] && mix.gpus.map(\.count) == [1, 3])
        #expect(mix.isCheapest && mix.leastCost < 6.7)
        try Self.serves(mix, problem)
    }

    @Test func requestsAreCountedIntoBuckets() throws {
        let json = #"{"gpu": "a", "cost": 2, "tputs": [[8, 4], [2, 0]], "indexes": [[16, 32], [100, 400]]}"#
        let profile = try ThroughputProfile(json: Data(json.utf8))
        let sizes = [(200, 16), (201, 22), (5000, 1), (1, 23)].map { RequestSize(prompt: $0, output: $1) }
        let problem = try MixProblem(profiles: [profile], rate: 8, requests: sizes, slices: 2)
        #expect(problem.demand == [2, 4, 2, 0])
        #expect(try GPUMixPlanner().plan(problem).gpus.map(\.load) == [2.25])
        for wrong in [#""indexes": [[16, 32]]"#, #""indexes": [[32, 16], [100, 400]]"#] {
            let text = json.replacing(#""indexes": [[16, 32], [100, 400]]"#, with: wrong)
            #expect(throws: ServingError.self) { try ThroughputProfile(json: Data(text.utf8)) }
        }
    }

    @Test(arguments: 0..<60)
    func noOtherCountsAreCheaper(seed: Int) throws {
        var draws = Draws(seed: UInt64(seed))
        let buckets = 1 + draws.below(3)
        let offers = (0..<1 + draws.below(3)).map { type in
            MixProblem.Offer(
                name: "g\(type)", price: Double(1 + draws.below(40)) / 10,
                rates: (0..<buckets).map { _ in Double(draws.below(9)) },
                limit: draws.below(3) == 0 ? draws.below(4) : nil)
        }
        let problem = try MixProblem(
            offers: offers, demand: (0..<buckets).map { $0 == 0 ? 3 : Double(draws.below(9)) },
            slices: 1 + draws.below(2))
        let best = Exhaustive(problem).cost
        do {
            let mix = try GPUMixPlanner().plan(problem)
            #expect(mix.isCheapest && abs(mix.costPerHour - (best ?? -1)) < 1e-5)
            #expect(mix.leastCost <= mix.costPerHour + 1e-5)
            try Self.serves(mix, problem)
        } catch let error as ServingError {
            #expect(best == nil && error.code == .infeasible)
        }
    }

    /// Every part is served once, by GPUs that can, and none is overfull.
    private static func serves(_ mix: GPUMix, _ problem: MixProblem) throws {
        for (bucket, rate) in problem.demand.enumerated() where rate > 0 {
            #expect(mix.gpus.reduce(0) { $0 + $1.slices[bucket] } == problem.slices)
        }
        for (share, offer) in zip(mix.gpus, problem.offers) {
            let load = problem.demand.indices.reduce(0.0) { sum, bucket in
                guard share.slices[bucket] > 0 else { return sum }
                return sum + problem.demand[bucket] / Double(problem.slices) * Double(share.slices[bucket])
                    / offer.rates[bucket]
            }
            #expect(load <= Double(share.count) + 1e-6 && share.count <= offer.limit ?? .max)
        }
    }

    @Test func whatCannotBeServedIsNamed() throws {
        func refusal(_ edit: (inout [MixProblem.Offer]) -> Void, demand: [Double] = [1, 1]) -> String {
            var offers = [MixProblem.Offer(name: "a", price: 1, rates: [1, 0])]
            edit(&offers)
            do {
                _ = try GPUMixPlanner().plan(try MixProblem(offers: offers, demand: demand, slices: 1))
                return ""
            } catch { return "\(error.code): \(error.message)" }
        }
        #expect(refusal { _ in } == "infeasible: no type of GPU serves bucket 1 in time")
        #expect(
            refusal {
                $0[0].rates = [1, 1]; $0[0].limit = 1
            }.hasPrefix("infeasible: the GPUs that are"))
        #expect(refusal { $0[0].price = 0 } == "settings: a: a price above 0 expected, not 0.0")
        #expect(refusal { $0[0].rates = [1] }.hasPrefix("settings: a has rates of 1 buckets"))
        #expect(refusal { $0.append($0[0]) } == "settings: two types of GPU have one name")
        #expect(refusal({ _ in }, demand: [0, 0]).hasPrefix("workload: the demand is no list"))
        #expect(
            refusal { $0[0].rates = [1e-9, 1e-9] }.hasPrefix("workload: the demand is worth more than"))
        #expect(throws: ServingError.self) { try MixProblem(json: Data("{}".utf8)) }
        let skewed = Self.example.replacing("[5, 2]", with: "[5]")
        #expect(throws: ServingError.self) { try MixProblem(json: Data(skewed.utf8)) }
    }
}

/// Goes through all counts and divisions.
private struct Exhaustive {
    private let problem: MixProblem

    init(_ problem: MixProblem) { self.problem = problem }

    /// Dollars per hour of the cheapest mix; nil when there is none.
    var cost: Double? {
        let parts = problem.demand.indices.flatMap { bucket in
            problem.demand[bucket] > 0 ? Array(repeating: bucket, count: problem.slices) : []
        }
        var best: Double?
        func go(_ index: Int, _ loads: [Double]) {
            guard index < parts.count else {
                let counts = loads.map { ($0 - 1e-9).rounded(.up) }
                for (count, offer) in zip(counts, problem.offers)
                where count > Double(offer.limit ?? .max) { return }
                let cost = zip(counts, problem.offers).reduce(0) { $0 + $1.0 * $1.1.price }
                best = min(best ?? .infinity, cost)
                return
            }
            for (type, offer) in problem.offers.enumerated() where offer.rates[parts[index]] > 0 {
                var next = loads
                next[type] +=
                    problem.demand[parts[index]] / Double(problem.slices) / offer.rates[parts[index]]
                go(index + 1, next)
            }
        }
        go(0, problem.offers.map { _ in 0 })
        return best
    }
}
