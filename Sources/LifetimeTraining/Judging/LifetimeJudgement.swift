import Foundation
public import VMPlacement

/// How good a model's predictions at the start of VMs were.
public struct LifetimeJudgement: Sendable, Hashable, Codable {
    /// VMs judged.
    public var vms: Int
    /// Share of the pairs of VMs, of which one is known to have lived longer, that the model put in their
    /// order (Harrell 1982); ties count half. Nil without such a pair.
    public var cIndex: Double?
    /// Of "lives longer than a day", over the VMs of which that is known.
    public var precision1d: Double?
    public var recall1d: Double?
    public var f1At1d: Double?
    /// Share of the VMs whose class was predicted right, over those of which the class is known.
    public var classAccuracy: Double?
    /// Mean of the distances of log10 of lifetime and prediction, over the VMs that ended.
    public var logError: Double?

    private static let day = 86_400.0

    /// - Parameters:
    ///   - vms: with what is known of them in the end.
    ///   - predictor: asked about each at its start.
    public init(_ vms: [TrainingVM], by predictor: LifetimePredictor) {
        let seen = vms.map(\.observation)
        let predicted = seen.map { predictor.remaining(uptime: 0, of: $0.features) }
        self.vms = seen.count
        cIndex = Concordance(lifetimes: seen, predictions: predicted).share?.rounded(decimals: 4)
        var counts = Counts()
        for (observation, prediction) in zip(seen, predicted) { counts.add(observation, prediction) }
        precision1d = Self.share(counts.rightlyLong, counts.saidLong)
        recall1d = Self.share(counts.rightlyLong, counts.long)
        f1At1d = Self.share(2 * counts.rightlyLong, counts.saidLong + counts.long)
        classAccuracy = Self.share(counts.rightClass, counts.classKnown)
        logError =
            counts.ended > 0 ? (counts.logError / Double(counts.ended)).rounded(decimals: 4) : nil
    }

    private static func share(_ part: Int, _ whole: Int) -> Double? {
        whole > 0 ? (Double(part) / Double(whole)).rounded(decimals: 4) : nil
    }

    private struct Counts {
        var long = 0
        var saidLong = 0
        var rightlyLong = 0
        var classKnown = 0
        var rightClass = 0
        var ended = 0
        var logError = 0.0

        mutating func add(_ seen: LifetimeObservation, _ prediction: Double) {
            let isLong = seen.seconds > day
            if seen.hasEnded || isLong {
                long += isLong ? 1 : 0
                saidLong += prediction > day ? 1 : 0
                rightlyLong += isLong && prediction > day ? 1 : 0
            }
            let lived = LifetimeClass(seconds: seen.seconds)
            // One that still runs in the last class stays in it.
            if seen.hasEnded || lived == .weeks {
                classKnown += 1
                rightClass += LifetimeClass(seconds: prediction) == lived ? 1 : 0
            }
            if seen.hasEnded {
                ended += 1
                logError += abs(log10(max(seen.seconds, LifetimePredictor.least)) - log10(prediction))
            }
        }
    }
}
