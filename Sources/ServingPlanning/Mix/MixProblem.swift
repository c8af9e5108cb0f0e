public import Foundation

/// Requests of several sizes, and how many of each size one GPU of each type serves in time, as it was
/// measured. Replicas are single GPUs that share nothing, which is what Mélange (arXiv 2404.14527) plans.
public struct MixProblem: Sendable, Hashable {
    public struct Offer: Sendable, Hashable {
        public var name: String
        /// Dollars per hour of one GPU.
        public var price: Double
        /// Requests per second that one GPU serves within the service levels, by bucket; 0 where it cannot.
        public var rates: [Double]
        /// GPUs that can be had; nil is as many as are wanted.
        public var limit: Int?

        public init(name: String, price: Double, rates: [Double], limit: Int? = nil) {
            self.name = name
            self.price = price
            self.rates = rates
            self.limit = limit
        }
    }

    public let offers: [Offer]
    /// Requests per second of each bucket of sizes.
    public let demand: [Double]
    /// Parts that each bucket is cut into; a part is served by one type.
    public let slices: Int

    /// Types that one mix chooses from: with more of them, counts are too many to be gone through.
    public static let offerLimit = 12
    public static let sliceRange = 1...64
    /// GPUs of one type that a demand may come to; more is taken for a mistake of units.
    public static let countLimit = 100_000

    /// - Throws: `ServingError` of code `settings` or `workload`, with the member that is wrong.
    public init(offers: [Offer], demand: [Double], slices: Int) throws(ServingError) {
        guard (1...Self.offerLimit).contains(offers.count) else {
            throw ServingError(
                .settings, "1 to \(Self.offerLimit) types of GPU expected, not \(offers.count)")
        }
        guard Self.sliceRange.contains(slices) else {
            let range = "\(Self.sliceRange.lowerBound) to \(Self.sliceRange.upperBound)"
            throw ServingError(.settings, "slices: \(slices) is outside \(range)")
        }
        guard Set(offers.map(\.name)).count == offers.count else {
            throw ServingError(.settings, "two types of GPU have one name")
        }
        for offer in offers {
            guard offer.price > 0, offer.price.isFinite else {
                throw ServingError(.settings, "\(offer.name): a price above 0 expected, not \(offer.price)")
            }
            guard offer.rates.count == demand.count else {
                throw ServingError(
                    .settings,
                    "\(offer.name) has rates of \(offer.rates.count) buckets, the demand has \(demand.count)")
            }
            guard offer.rates.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw ServingError(.settings, "\(offer.name): rates are numbers from 0 on")
            }
            guard (offer.limit ?? 0) >= 0 else {
                throw ServingError(.settings, "\(offer.name): the limit is below 0")
            }
        }
        guard demand.allSatisfy({ $0 >= 0 && $0.isFinite }), demand.contains(where: { $0 > 0 }) else {
            throw ServingError(.workload, "the demand is no list of rates of which one is above 0")
        }
        self.offers = offers
        self.demand = demand
        self.slices = slices
    }
}

extension MixProblem {
    /// Reads the file of Mélange's solver: `gpu_info` with `cost` and `tputs`, `workload_distribution`,
    /// `total_request_rate` and `slice_factor`.
    ///
    /// - Parameter slices: instead of the file's.
    /// - Throws: `ServingError`, with the path of what is wrong.
    public init(json: Data, slices: Int? = nil) throws(ServingError) {
        struct File: Decodable {
            struct GPU: Decodable {
                var cost: Double
                var tputs: [[Double]]
                var limit: Int?
            }
            var gpu_info: [String: GPU]
            var workload_distribution: [[Double]]
            var total_request_rate: Double
            var slice_factor: Int?
        }
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: json) } catch {
            throw ServingError(.settings, ServingError.words(error))
        }
        let shape = file.workload_distribution.map(\.count)
        for (name, gpu) in file.gpu_info.sorted(by: { $0.key < $1.key }) where gpu.tputs.map(\.count) != shape
        {
            throw ServingError(
                .settings, "gpu_info.\(name).tputs is not of the shape of workload_distribution")
        }
        try self.init(
            offers: file.gpu_info.sorted { $0.key < $1.key }.map { name, gpu in
                Offer(name: name, price: gpu.cost, rates: gpu.tputs.flatMap(\.self), limit: gpu.limit)
            },
            demand: file.workload_distribution.flatMap { $0.map { $0 * file.total_request_rate } },
            slices: slices ?? file.slice_factor ?? 1)
    }
}

/// What one GPU serves by sizes, as AIBrix's profiler writes it: `gpu`, `cost`, `tputs` by row of generated
/// tokens and column of prompt tokens, and `indexes` with the sizes that rows and columns were measured at.
public struct ThroughputProfile: Sendable, Hashable, Decodable {
    public var gpu: String
    /// Dollars per hour.
    public var cost: Double
    /// Requests per second.
    public var tputs: [[Double]]
    /// Tokens: of rows, then of columns, ascending.
    public var indexes: [[Int]]

    /// Tokens of the longest requests that are read from files.
    public static let sizeLimit = 10_000_000

    /// - Throws: `ServingError` with the path of what is wrong.
    public init(json: Data) throws(ServingError) {
        do { self = try JSONDecoder().decode(Self.self, from: json) } catch {
            throw ServingError(.settings, ServingError.words(error))
        }
        guard indexes.count == 2,
            indexes.allSatisfy({ sizes in
                !sizes.isEmpty && zip([0] + sizes, sizes).allSatisfy(<) && (sizes.last ?? 0) <= Self.sizeLimit
            })
        else {
            let range = "1 to \(Self.sizeLimit)"
            throw ServingError(.settings, "indexes: two ascending lists of sizes from \(range) expected")
        }
        guard tputs.map(\.count) == Array(repeating: indexes[1].count, count: indexes[0].count) else {
            throw ServingError(.settings, "tputs has not the rows and columns of indexes")
        }
    }

    /// The bucket that was measured at sizes nearest in proportion to those of a request.
    func bucket(of size: RequestSize) -> Int {
        func place(_ tokens: Int, _ sizes: [Int]) -> Int {
            // Nearer to the first of two neighbours when below their geometric mean.
            zip(sizes, sizes.dropFirst()).prefix { tokens * tokens > $0 * $1 }.count
        }
        return place(size.output, indexes[0]) * indexes[1].count + place(size.prompt, indexes[1])
    }
}

extension MixProblem {
    /// Requests, counted into the buckets of profiles.
    ///
    /// - Parameter rate: requests per second.
    public init(
        profiles: [ThroughputProfile], rate: Double, requests: [RequestSize], slices: Int
    ) throws(ServingError) {
        guard let first = profiles.first else {
            throw ServingError(.settings, "at least one profile of a GPU expected")
        }
        for profile in profiles where profile.indexes != first.indexes {
            throw ServingError(
                .settings, "\(profile.gpu) and \(first.gpu) have different sizes in indexes")
        }
        var demand = Array(repeating: 0.0, count: first.indexes[0].count * first.indexes[1].count)
        for size in requests { demand[first.bucket(of: size)] += rate / Double(requests.count) }
        try self.init(
            offers: profiles.map {
                Offer(name: $0.gpu, price: $0.cost, rates: $0.tputs.flatMap(\.self))
            },
            demand: demand, slices: slices)
    }
}
