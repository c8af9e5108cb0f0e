internal import Foundation

/// How long something takes in a simulation.
public enum LatencyModel: Sendable, Hashable, Codable {
    case fixed(seconds: Double)
    case uniform(fromSeconds: Double, toSeconds: Double)
    /// Most are near the median, few take much longer; `capSeconds` bounds the tail.
    case logNormal(medianSeconds: Double, sigma: Double, capSeconds: Double)

    /// Draws one latency.
    public func sample(_ random: inout SplitMix64) -> Duration {
        let seconds: Double
        switch self {
        case .fixed(let value): seconds = value
        case .uniform(let low, let high): seconds = low + (high - low) * random.nextUnit()
        case .logNormal(let median, let sigma, let cap):
            // Box–Muller; 1 − u keeps the logarithm's argument above 0.
            let radius = (-2 * log(1 - random.nextUnit())).squareRoot()
            let normal = radius * cos(2 * Double.pi * random.nextUnit())
            seconds = min(cap, median * exp(sigma * normal))
        }
        return .microseconds(Int64((max(0, seconds) * 1_000_000).rounded()))
    }

    /// What is wrong with the parameters; nil when nothing is.
    var defect: String? {
        let values: [Double] =
            switch self {
            case .fixed(let value): [value]
            case .uniform(let low, let high): [low, high - low]
            case .logNormal(let median, let sigma, let cap): [median, sigma, cap]
            }
        let isValid = values.allSatisfy { $0.isFinite && $0 >= 0 && $0 <= 86_400 }
        return isValid ? nil : "latencies lie between 0 and 86,400 s, ranges rise"
    }
}
