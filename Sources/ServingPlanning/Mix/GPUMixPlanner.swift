internal import Foundation

/// Finds the cheapest whole numbers of GPUs that serve a demand.
///
/// Counts are tried in the order of their cost, from the cost of fractions of GPUs on, which is less than
/// that of any mix. Counts are shown not to do by weights of the types with which even the lightest division
/// weighs more than the counts, or by going through the divisions.
public struct GPUMixPlanner: Sendable {
    /// Steps of all searches together, at most.
    public var evaluations: Int

    public static let usualEvaluations = 2_000_000

    public init(evaluations: Int = usualEvaluations) { self.evaluations = evaluations }

    /// - Throws: `ServingError` of code `infeasible`, with the bucket that no type serves, or when what is
    ///   offered is too little.
    public func plan(_ problem: MixProblem) throws(ServingError) -> GPUMix {
        let work = try MixWork(problem)
        var trial = MixTrial(work: work, left: evaluations)
        let least = work.leastCost
        var isCheapest = true
        var floor = least
        while floor <= work.greatestCost * (1 + MixWork.tolerance) {
            // Windows end just above what whole GPUs cost, and so no counts are met twice.
            let ceiling = floor + work.cheapestPrice
            guard let window = work.counts(from: floor, below: ceiling) else { break }
            for counts in window {
                switch trial.divide(counts) {
                case .fits(let division):
                    return work.mix(
                        counts, division, isCheapest: isCheapest, evaluations: evaluations - trial.left)
                case .tooSmall: continue
                case .unknown: isCheapest = false
                }
            }
            guard trial.left > 0 else { break }
            floor = ceiling
        }
        throw ServingError(
            .infeasible,
            isCheapest && trial.left > 0
                ? "the GPUs that are offered do not serve the demand"
                : "no mix was found within \(evaluations) evaluations; allow more, or cut buckets into fewer slices"
        )
    }
}

/// A demand as parts with the share of a GPU of each type that a part takes.
struct MixWork {
    /// Parts of one bucket: equal to each other.
    struct Bucket {
        var index: Int
        /// GPUs' worth of one part, by type; infinite where the type cannot serve it.
        var loads: [Double]
    }

    static let tolerance = 1e-9
    /// Counts within one window: beyond that there are too many types for the demand.
    static let windowLimit = 200_000

    let problem: MixProblem
    /// Heaviest first, where heavy is what the lightest type takes.
    let buckets: [Bucket]
    let prices: [Double]
    /// GPUs of each type that may ever be of use.
    let mostCounts: [Int]
    /// Dollars per hour if fractions of GPUs could be had.
    let leastCost: Double

    init(_ problem: MixProblem) throws(ServingError) {
        self.problem = problem
        let prices = problem.offers.map(\.price)
        var buckets: [Bucket] = []
        for (index, rate) in problem.demand.enumerated() where rate > 0 {
            let loads = problem.offers.map { offer in
                let served = offer.limit == 0 ? 0 : offer.rates[index]
                return served > 0 ? rate / Double(problem.slices) / served : .infinity
            }
            guard loads.contains(where: \.isFinite) else {
                throw ServingError(.infeasible, "no type of GPU serves bucket \(index) in time")
            }
            buckets.append(Bucket(index: index, loads: loads))
        }
        func lightest(_ bucket: Bucket) -> Double { bucket.loads.min() ?? 0 }
        self.buckets = buckets.sorted { (-lightest($0), $0.index) < (-lightest($1), $1.index) }
        self.prices = prices
        let parts = Double(problem.slices)
        leastCost = buckets.reduce(0) { sum, bucket in
            sum + parts * (zip(prices, bucket.loads).map { $0 * $1 }.min() ?? 0)
        }
        var mostCounts: [Int] = []
        for (type, offer) in problem.offers.enumerated() {
            let all = buckets.reduce(0) { $0 + ($1.loads[type].isFinite ? parts * $1.loads[type] : 0) }
            guard all <= Double(MixProblem.countLimit) else {
                throw ServingError(
                    .workload, "the demand is worth more than \(MixProblem.countLimit) GPUs of \(offer.name)")
            }
            mostCounts.append(min(offer.limit ?? .max, Int((all - Self.tolerance).rounded(.up))))
        }
        self.mostCounts = mostCounts
    }

    var cheapestPrice: Double { prices.min() ?? 0 }

    var greatestCost: Double {
        zip(prices, mostCounts).reduce(0) { $0 + $1.0 * Double($1.1) }
    }

    /// Counts whose cost is within a window, cheapest first; nil when they are too many.
    func counts(from floor: Double, below ceiling: Double) -> [[Int]]? {
        var found: [(cost: Double, counts: [Int])] = []
        var counts = Array(repeating: 0, count: prices.count)
        let slack = Self.tolerance * max(1, floor)
        /// The most that the types from one on can cost.
        var rest = Array(repeating: 0.0, count: prices.count + 1)
        for type in prices.indices.reversed() {
            rest[type] = rest[type + 1] + prices[type] * Double(mostCounts[type])
        }
        func choose(_ type: Int, _ cost: Double) -> Bool {
            guard type < prices.count else {
                if cost >= floor - slack, cost < ceiling - slack { found.append((cost, counts)) }
                return found.count <= Self.windowLimit
            }
            for count in 0...mostCounts[type] {
                let sum = cost + Double(count) * prices[type]
                guard sum < ceiling - slack else { break }
                guard sum + rest[type + 1] >= floor - slack else { continue }
                counts[type] = count
                guard choose(type + 1, sum) else { return false }
            }
            counts[type] = 0
            return true
        }
        guard choose(0, 0) else { return nil }
        return found.sorted { left, right in
            left.cost != right.cost
                ? left.cost < right.cost : left.counts.lexicographicallyPrecedes(right.counts)
        }.map(\.counts)
    }

    /// - Parameter division: by bucket of `buckets`, parts of each type.
    func mix(_ counts: [Int], _ division: [[Int]], isCheapest: Bool, evaluations: Int) -> GPUMix {
        let gpus = prices.indices.map { type in
            var slices = Array(repeating: 0, count: problem.demand.count)
            var load = 0.0
            for (bucket, parts) in zip(buckets, division) where parts[type] > 0 {
                slices[bucket.index] = parts[type]
                load += Double(parts[type]) * bucket.loads[type]
            }
            return GPUMix.Share(
                name: problem.offers[type].name, count: counts[type], price: prices[type],
                load: Rounded.rate(load), slices: slices)
        }
        return GPUMix(
            gpus: gpus, costPerHour: Rounded.rate(zip(prices, counts).reduce(0) { $0 + $1.0 * Double($1.1) }),
            leastCost: Rounded.rate(leastCost), isCheapest: isCheapest, evaluations: evaluations)
    }
}
