internal import Foundation

/// What measured steps of running jobs change of a model's predictions.
///
/// Few shapes of a model ever run, so that only what they can tell is fitted, and all of it stays near what was
/// known before: a scale of all times as soon as one shape was measured, parameters of a kind of plan when there
/// are as many shapes of it as they need.
public struct OnlineFit: Sendable, Hashable, Codable {
    /// All times are this many times those of the parameters.
    public var scale: Double
    public var parameters: PerformanceParameters
    /// Shapes that count.
    public var points: Int
    /// Indices of shapes that agree with nothing that explains the others.
    public var outliers: [Int]
    /// What was fitted: `scale`, and names of parameters.
    public var fitted: [String]
    /// Median of the relative errors, before and after.
    public var errorBefore: Double
    public var errorAfter: Double

    /// A step is measured that well: the median of some iterations.
    private static let noise = 0.05
    /// Logarithm by which all times may be off before the fit resists: devices differ by factors.
    private static let scaleSpread = 2.0
    /// The same of single parameters.
    private static let spread = 0.7
    private static let mostScale = log(8.0)
    private static let mostRatio = log(4.0)
    /// Deviations below this make nobody an outlier.
    private static let leastDeviation = 0.1

    /// - Parameter points: a measured step per shape.
    /// - Returns: nil without a point that can be used.
    public init?(_ points: [ProfilePoint], prior: PerformanceModel) {
        var kept = points.indices.filter { index in
            let point = points[index]
            return point.forward > 0 && point.step > 0 && point.step.isFinite && point.plan.gpus > 0
        }
        guard !kept.isEmpty else { return nil }
        let all = kept
        var found = Search(kept.map { points[$0] }, prior)
        // A quarter at most: where more disagree, nobody knows who is right.
        while kept.count >= 4, all.count - kept.count < all.count / 4, let worst = found.outlier {
            kept.remove(at: worst)
            found = Search(kept.map { points[$0] }, prior)
        }
        scale = found.scale
        parameters = found.parameters
        self.points = kept.count
        outliers = points.indices.filter { !kept.contains($0) }
        fitted = found.names
        let counted = kept.map { points[$0] }
        errorBefore = Self.median(counted.map { abs(prior.milliseconds($0) / $0.step - 1) })
        errorAfter = Self.median(zip(found.errors, counted).map { error, _ in abs(exp(error) - 1) })
    }

    static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    /// One fit of one set of points.
    private struct Search {
        private let prior: PerformanceModel
        /// Places of the parameters that are fitted.
        private let free: [Int]
        private(set) var scale = 1.0
        private(set) var parameters: PerformanceParameters
        /// Logarithms of prediction over measurement, by point.
        private(set) var errors: [Double] = []

        var names: [String] { ["scale"] + free.map { PerformanceParameters.names[$0] } }

        init(_ points: [ProfilePoint], _ prior: PerformanceModel) {
            self.prior = prior
            parameters = prior.parameters
            free = Self.identifiable(points)
            let values = prior.parameters.values
            let lower = free.map { max(log(PerformanceParameters.lower[$0] / values[$0]), -mostRatio) }
            let upper = free.map { min(log(PerformanceParameters.upper[$0] / values[$0]), mostRatio) }
            let solver = BoundedLeastSquares(
                lower: [-mostScale] + lower.map { min($0, 0) }, upper: [mostScale] + upper.map { max($0, 0) })
            let found = solver.minimise(from: [0] + free.map { _ in 0 }) { point in
                Self.errors(points, prior, free, point).map { $0 / noise } + [point[0] / scaleSpread]
                    + point.dropFirst().map { $0 / spread }
            }
            scale = exp(found.point[0])
            parameters = Self.parameters(prior, free, found.point)
            errors = Self.errors(points, prior, free, found.point)
        }

        /// Parameters that the points can tell from one another; of no more kinds than there are points.
        private static func identifiable(_ points: [ProfilePoint]) -> [Int] {
            let offloaded = points.count { !$0.plan.isModelParallel && $0.plan.sharding == .offload }
            var free: [Int] = []
            // Backward pass, overlap and constant; the scale takes what one or two points tell.
            if points.count >= 3 { free += [0, 1, 4] }
            if points.count - offloaded >= 4 { free.append(2) }
            if offloaded >= 3 { free += [3, 5, 6] }
            return free.sorted()
        }

        private static func parameters(
            _ prior: PerformanceModel, _ free: [Int], _ point: [Double]
        ) -> PerformanceParameters {
            var values = prior.parameters.values
            for (position, index) in free.enumerated() { values[index] *= exp(point[position + 1]) }
            return PerformanceParameters(values) ?? prior.parameters
        }

        private static func errors(
            _ points: [ProfilePoint], _ prior: PerformanceModel, _ free: [Int], _ point: [Double]
        ) -> [Double] {
            var model = prior
            model.parameters = parameters(prior, free, point)
            return points.map { point[0] + log(model.milliseconds($0) / $0.step) }
        }

        /// The point furthest from the fit, if it is far from all others.
        var outlier: Int? {
            let sizes = errors.map(abs)
            guard let worst = sizes.indices.max(by: { sizes[$0] < sizes[$1] }) else { return nil }
            let limit = max(4 * median(sizes), leastDeviation)
            return sizes[worst] > limit ? worst : nil
        }
    }
}

extension PerformanceModel {
    fileprivate func milliseconds(_ point: ProfilePoint) -> Double {
        stepMilliseconds(point.plan, forward: point.forward, nodes: point.nodes, threads: point.threads)
    }
}
