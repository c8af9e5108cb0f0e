import Fleet
import Foundation

/// Gradient-boosted trees on log10 of the remaining lifetime, with the uptime among the features, so that a
/// prediction changes as the VM ages.
public struct BoostedLifetimeModel: LifetimeModel {
    /// Turns what is known of a VM into numbers.
    public let encoder: FeatureEncoder
    /// Answers log10 of seconds.
    public let trees: TreeEnsemble
    /// Turns the trees' mean of logarithms into what is asked for.
    public let calibration: Calibration

    public init(encoder: FeatureEncoder, trees: TreeEnsemble, calibration: Calibration) {
        self.encoder = encoder
        self.trees = trees
        self.calibration = calibration
    }

    public func expectedRemaining(uptime: Double, of features: VMFeatures) -> Double {
        pow(10, Double(calibration.value(of: logarithm(uptime: uptime, of: features))))
    }

    /// What the trees say, log10 of seconds.
    public func logarithm(uptime: Double, of features: VMFeatures) -> Float {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: encoder.features.count) { vector in
            vector.initialize(repeating: 0)
            encoder.encode(features, uptime: uptime, into: vector)
            return trees.sum(UnsafeBufferPointer(vector))
        }
    }
}

/// Straight lines between knots that never fall, both axes log10 of seconds.
///
/// Trees that are fitted to logarithms give a geometric mean, which lies far below the arithmetic one of
/// skewed lifetimes; the knots say by how much, as seen on VMs that the trees did not learn from.
public struct Calibration: Sendable, Hashable {
    /// What the trees say, ascending.
    public let predicted: [Float]
    /// What it means, not descending.
    public let actual: [Float]

    /// Changes nothing: the geometric mean.
    public static let none = Calibration()

    private init() {
        predicted = []
        actual = []
    }

    /// Nil when the lists are of different length, not in order or not finite.
    public init?(predicted: [Float], actual: [Float]) {
        guard predicted.count == actual.count, (predicted + actual).allSatisfy(\.isFinite),
            zip(predicted, predicted.dropFirst()).allSatisfy({ $0 < $1 }),
            zip(actual, actual.dropFirst()).allSatisfy({ $0 <= $1 })
        else { return nil }
        self.predicted = predicted
        self.actual = actual
    }

    /// Beyond the knots the distance to the last one is kept.
    func value(of logarithm: Float) -> Float {
        guard let first = predicted.first, let last = predicted.last else { return logarithm }
        guard logarithm > first else { return actual[0] + logarithm - first }
        guard logarithm < last else { return actual[actual.count - 1] + logarithm - last }
        var index = 1
        while predicted[index] < logarithm { index += 1 }
        let share = (logarithm - predicted[index - 1]) / (predicted[index] - predicted[index - 1])
        return actual[index - 1] + share * (actual[index] - actual[index - 1])
    }
}
