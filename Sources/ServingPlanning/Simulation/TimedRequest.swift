internal import Foundation

/// A request and when it came.
public struct TimedRequest: Sendable, Hashable {
    /// Seconds from the first request on.
    public var arrival: Double
    public var size: RequestSize

    public init(arrival: Double, size: RequestSize) {
        self.arrival = arrival
        self.size = size
    }

    /// Sizes in an order drawn with the seed: files have quiet and busy hours, random arrivals have none.
    public static func shuffled(_ sizes: [RequestSize], seed: UInt64) -> [RequestSize] {
        var random = SplitMix64(seed: seed)
        var sizes = sizes
        for index in stride(from: sizes.count - 1, to: 0, by: -1) {
            sizes.swapAt(index, random.below(index + 1))
        }
        return sizes
    }

    /// Sizes in their order, arriving at random (Poisson) at a rate, requests per second.
    public static func poisson(_ sizes: [RequestSize], rate: Double, seed: UInt64) -> [TimedRequest] {
        var random = SplitMix64(seed: seed)
        var time = 0.0
        return sizes.map { size in
            defer { time -= log(1 - random.unit()) / rate }
            return TimedRequest(arrival: time, size: size)
        }
    }
}

/// What became of a request; seconds.
public struct RequestTimes: Sendable, Hashable {
    /// Whether it was turned away.
    public var isShed = false
    public var ttft = Double.infinity
    public var e2e = Double.infinity
    /// Per token after the first; nil for an answer of one token.
    public var tpot: Double?

    /// Which of first token, tokens and last token were in time.
    func met(_ levels: ServiceLevels) -> (ttft: Bool, tpot: Bool, e2e: Bool) {
        guard e2e.isFinite else { return (ttft <= levels.ttft, false, false) }
        return (ttft <= levels.ttft, (tpot ?? 0) <= levels.tpot, e2e <= levels.e2e)
    }
}
