internal import Foundation

/// The seven parameters that explain measured steps best.
public struct ParameterFit: Sendable, Hashable, Codable {
    /// Kinds of plans whose parameters are their own.
    public enum Family: String, Sendable, Hashable, Codable, CaseIterable {
        /// Data parallelism, the state on the GPUs.
        case data
        /// Data parallelism, the state on the host.
        case offload
        /// Tensor and pipeline parallelism.
        case stages
    }

    public var parameters: PerformanceParameters
    /// Root mean square of the differences of logarithms, of the points that count.
    public var error: Double
    /// Families with too few points for what is said of them to be more than a guess.
    public var uncalibrated: [Family]
    /// Indices of points that agree with no parameters that explain the others.
    public var outliers: [Int]
    /// Points that count.
    public var points: Int
}

extension ParameterFit {
    public struct Settings: Sendable, Hashable {
        /// Searches, each from another start.
        public var starts: Int
        /// Of the starts.
        public var seed: UInt64
        /// Points beyond this many median deviations do not count.
        public var outlierDeviations: Double
        /// Points of offloading below which its three parameters are taken from elsewhere.
        public var offloadPoints: Int
        /// What stands for parameters that the points say nothing of, such as the median of the cluster.
        public var prior: PerformanceParameters

        public init(
            starts: Int = 30, seed: UInt64 = 0, outlierDeviations: Double = 4, offloadPoints: Int = 3,
            prior: PerformanceParameters = .unfitted
        ) {
            self.starts = starts
            self.seed = seed
            self.outlierDeviations = outlierDeviations
            self.offloadPoints = offloadPoints
            self.prior = prior
        }
    }

    /// Deviations below this are those of any two runs: no point is left out for them.
    private static let leastDeviation = 0.05

    /// Fits a model's parameters to its points.
    ///
    /// - Returns: nil without points that can be used: positive times and at least one GPU.
    public init?(
        _ points: [ProfilePoint], model: ModelDescription, constants: PerformanceConstants,
        settings: Settings = Settings()
    ) {
        let usable = Self.plausible(
            points.indices.filter {
                points[$0].forward > 0 && points[$0].step > 0 && points[$0].plan.gpus > 0
            }, points, settings)
        guard !usable.isEmpty else { return nil }
        let search = ParameterSearch(model: model, constants: constants, settings: settings)
        var kept = usable
        var found = search.best(kept.map { points[$0] })
        // Least squares hides an outlier by bending to it: the worst goes, and the rest is fitted anew.
        while kept.count > PerformanceParameters.count - 2,
            let worst = search.outlier(of: kept.map { points[$0] }, found)
        {
            kept.remove(at: worst)
            found = search.best(kept.map { points[$0] })
        }
        parameters = found.parameters
        error = (found.cost / Double(kept.count)).squareRoot()
        self.points = kept.count
        outliers = points.indices.filter { !kept.contains($0) }
        uncalibrated = Self.uncalibrated(kept.map { points[$0].plan }, settings)
    }

    /// Without forward times that the other counts of GPUs contradict: of one global batch, forward time
    /// times ranks hardly changes.
    private static func plausible(
        _ indices: [Int], _ points: [ProfilePoint], _ settings: Settings
    ) -> [Int] {
        let simple = indices.filter { !points[$0].plan.isModelParallel && points[$0].plan.accumulation == 1 }
        guard simple.count > 3 else { return indices }
        let whole = simple.map { log(points[$0].forward * Double(points[$0].plan.data)) }
        let middle = whole.sorted()[whole.count / 2]
        let deviations = whole.map { abs($0 - middle) }
        // A factor of two is more than any batch size changes the efficiency of a GPU by.
        let limit = max(settings.outlierDeviations * deviations.sorted()[deviations.count / 2], log(2))
        let rejected = Set(zip(simple, deviations).filter { $0.1 > limit }.map(\.0))
        return indices.filter { !rejected.contains($0) }
    }

    private static func uncalibrated(_ plans: [ExecutionPlan], _ settings: Settings) -> [Family] {
        let staged = plans.count { $0.isModelParallel }
        let offloaded = plans.count { !$0.isModelParallel && $0.sharding == .offload }
        let plain = plans.count - staged - offloaded
        var families: [Family] = []
        // Backward pass, overlap and the sum of the constants: three unknowns of plans without offloading.
        if plain < 3 { families.append(.data) }
        if offloaded < settings.offloadPoints { families.append(.offload) }
        if staged < 3 { families.append(.stages) }
        return families
    }

    /// The search for the best parameters of one set of points.
    fileprivate struct ParameterSearch {
        let model: ModelDescription
        let constants: PerformanceConstants
        let settings: Settings

        func best(_ points: [ProfilePoint]) -> (parameters: PerformanceParameters, cost: Double) {
            let prior = settings.prior.values
            var lower = PerformanceParameters.lower
            var upper = PerformanceParameters.upper
            if points.count(where: { $0.plan.sharding == .offload }) < settings.offloadPoints {
                for index in [3, 5, 6] { (lower[index], upper[index]) = (prior[index], prior[index]) }
            }
            let solver = BoundedLeastSquares(lower: lower, upper: upper)
            var random = SplitMix64(seed: settings.seed)
            var best = (point: prior, cost: Double.infinity)
            for round in 0..<max(settings.starts, 1) {
                let start = round == 0 ? PerformanceParameters.start : Self.start(&random)
                let found = solver.minimise(from: start) { residuals($0, points) }
                if found.cost < best.cost { best = found }
            }
            return (PerformanceParameters(best.point) ?? settings.prior, best.cost)
        }

        /// Somewhere among what models have been found to need.
        private static func start(_ random: inout SplitMix64) -> [Double] {
            [
                1 + 3 * random.unit(), 1 + 7 * random.unit(), pow(10, -4 + 4 * random.unit()),
                0.1 + 6 * random.unit(), 40 * random.unit(), 60 * random.unit(), 60 * random.unit(),
            ]
        }

        private func residuals(_ values: [Double], _ points: [ProfilePoint]) -> [Double] {
            guard let parameters = PerformanceParameters(values) else { return points.map { _ in 0 } }
            let performance = PerformanceModel(model: model, parameters: parameters, constants: constants)
            return points.map { point in
                log(
                    performance.stepMilliseconds(
                        point.plan, forward: point.forward, nodes: point.nodes, threads: point.threads)
                        / point.step)
            }
        }

        /// The point whose leaving makes the others agree far better, if there is one.
        func outlier(
            of points: [ProfilePoint], _ found: (parameters: PerformanceParameters, cost: Double)
        ) -> Int? {
            // Nothing to gain when all agree already.
            guard (found.cost / Double(points.count)).squareRoot() > ParameterFit.leastDeviation else {
                return nil
            }
            var best: (index: Int, cost: Double, deviation: Double)?
            for index in points.indices {
                var others = points
                let left = others.remove(at: index)
                let without = self.best(others)
                guard without.cost < best?.cost ?? .infinity else { continue }
                let spread = residuals(without.parameters.values, others).map(abs).sorted()
                let median = max(spread[spread.count / 2], ParameterFit.leastDeviation / 4)
                let deviation = abs(residuals(without.parameters.values, [left])[0]) / median
                best = (index, without.cost, deviation)
            }
            guard let best, best.deviation > settings.outlierDeviations else { return nil }
            return best.index
        }
    }
}
