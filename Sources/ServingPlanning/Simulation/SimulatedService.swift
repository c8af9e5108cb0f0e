/// How many requests were in time, and how long they took.
public struct SimulatedService: Sendable, Hashable, Codable {
    /// Seconds, by nearest rank.
    public struct Percentiles: Sendable, Hashable, Codable {
        public var p50: Double
        public var p90: Double
        public var p99: Double

        init(_ values: [Double]) {
            let sorted = values.sorted()
            func rank(_ percent: Int) -> Double {
                sorted.isEmpty ? 0 : Rounded.rate(sorted[(sorted.count * percent + 99) / 100 - 1])
            }
            p50 = rank(50)
            p90 = rank(90)
            p99 = rank(99)
        }
    }

    public var requests: Int
    /// Turned away: no route was for them, or they were longer than any group has room for.
    public var shed: Int
    /// Share of all requests in time in every respect.
    public var attainment: Double
    public var ttftAttainment: Double
    public var tpotAttainment: Double
    public var e2eAttainment: Double
    /// Of those that were served.
    public var ttft: Percentiles
    /// Of those that were served and had more than one token.
    public var tpot: Percentiles
    public var e2e: Percentiles
    /// Seconds of the served requests' first tokens, mean.
    public var meanTTFT: Double

    /// - Parameter times: at least one.
    public init(_ times: [RequestTimes], levels: ServiceLevels) {
        let served = times.filter { !$0.isShed && $0.e2e.isFinite }
        var met = (all: 0, ttft: 0, tpot: 0, e2e: 0)
        for request in served {
            let (ttft, tpot, e2e) = request.met(levels)
            met.ttft += ttft ? 1 : 0
            met.tpot += tpot ? 1 : 0
            met.e2e += e2e ? 1 : 0
            met.all += ttft && tpot && e2e ? 1 : 0
        }
        let count = Double(max(times.count, 1))
        requests = times.count
        shed = times.count - served.count
        attainment = Rounded.share(Double(met.all) / count)
        ttftAttainment = Rounded.share(Double(met.ttft) / count)
        tpotAttainment = Rounded.share(Double(met.tpot) / count)
        e2eAttainment = Rounded.share(Double(met.e2e) / count)
        ttft = Percentiles(served.map(\.ttft))
        tpot = Percentiles(served.compactMap(\.tpot))
        e2e = Percentiles(served.map(\.e2e))
        meanTTFT = Rounded.rate(served.reduce(0) { $0 + $1.ttft } / Double(max(served.count, 1)))
    }
}
