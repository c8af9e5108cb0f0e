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
    /// Deviations of logarithms below this make nobody an outlier: kinds of plans differ by as much.
    private static let leastDeviation = log(2.0)

    /// - Parameter points: a measured step per shape.
    /// - Returns: nil without a point that can be used.
    public init?(_ points: [ProfilePoint], prior: PerformanceModel) {
        let usable = points.indices.filter { index in
            let point = points[index]
            return point.forward > 0 && point.step > 0 && point.step.isFinite && point.plan.gpus > 0
        }
        guard !usable.isEmpty else { return nil }
        let kept = Self.agreeing(usable, points, prior)
        let found = Search(kept.map { points[$0] }, prior)
        scale = found.scale
        parameters = found.parameters
        self.points = kept.count
        outliers = points.indices.filter { !kept.contains($0) }
        fitted = found.names
        let counted = kept.map { points[$0] }
        errorBefore = Self.median(counted.map { abs(prior.milliseconds($0) / $0.step - 1) })
        errorAfter = Self.median(zip(found.errors, counted).map { error, _ in abs(exp(error) - 1) })
    }

    /// Without shapes that are off the prediction otherwise than the others are: least squares would bend to
    /// them. A quarter at most, as nobody knows who is right where more disagree.
    private static func agreeing(
        _ indices: [Int], _ points: [ProfilePoint], _ prior: PerformanceModel
    ) -> [Int] {
        let ratios = indices.map { log(points[$0].step / prior.milliseconds(points[$0])) }
        let middle = median(ratios)
        let deviations = ratios.map { abs($0 - middle) }
        let limit = max(4 * median(deviations), leastDeviation)
        let rejected = zip(indices, deviations).filter { $0.1 > limit }.map(\.0)
        return indices.count >= 4 && rejected.count <= indices.count / 4
            ? indices.filter { !rejected.contains($0) } : indices
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
    }
}

extension PerformanceModel {
    fileprivate func milliseconds(_ point: ProfilePoint) -> Double {
        stepMilliseconds(point.plan, forward: point.forward, nodes: point.nodes, threads: point.threads)
    }
}
