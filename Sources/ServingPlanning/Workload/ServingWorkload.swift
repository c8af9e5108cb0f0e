/// One request: tokens in and tokens out.
public struct RequestSize: Sendable, Hashable {
    /// Tokens, at least 1.
    public var prompt: Int
    /// Tokens, at least 1.
    public var output: Int

    public init(prompt: Int, output: Int) {
        self.prompt = prompt
        self.output = output
    }

    /// Of prompt and answer together.
    var tokens: Int { prompt + output }
}

/// How many requests come, and of which sizes.
public struct ServingWorkload: Sendable, Hashable {
    /// Requests that a plan is judged by: attainments are then right to two percent.
    public static let sampleLimit = 400

    /// Requests per second.
    public var rate: Double
    /// At most `sampleLimit`.
    public var samples: [RequestSize]

    /// - Parameter requests: any number; of many, one of each cell of a grid of equally many answers by
    ///   equally many prompts is kept, so that the tails count as they should.
    /// - Throws: `ServingError` of code `workload`.
    public init(rate: Double, requests: [RequestSize]) throws(ServingError) {
        guard rate > 0, rate.isFinite else {
            throw ServingError(.workload, "rate: \(rate) requests per second, more than 0 expected")
        }
        guard !requests.isEmpty, requests.allSatisfy({ $0.prompt >= 1 && $0.output >= 1 }) else {
            throw ServingError(.workload, "requests: at least one, with tokens in and out, expected")
        }
        self.rate = rate
        samples = Self.thinned(requests)
    }

    private static func thinned(_ requests: [RequestSize]) -> [RequestSize] {
        guard requests.count > sampleLimit else { return requests }
        let side = 20
        let byOutput = requests.indices.sorted { (requests[$0].output, $0) < (requests[$1].output, $1) }
        return (0..<side).flatMap { row in
            let band = byOutput[row * requests.count / side..<(row + 1) * requests.count / side]
                .sorted { (requests[$0].prompt, $0) < (requests[$1].prompt, $1) }
            return (0..<side).map { requests[band[(2 * $0 + 1) * band.count / (2 * side)]] }
        }
    }

    public var meanPrompt: Double {
        Double(samples.reduce(0) { $0 + $1.prompt }) / Double(max(samples.count, 1))
    }

    public var meanOutput: Double {
        Double(samples.reduce(0) { $0 + $1.output }) / Double(max(samples.count, 1))
    }
}

/// `{"rate": 4, "samples": "4808x10 3180x8"}`: one line instead of thousands.
extension ServingWorkload: Codable {
    private enum CodingKeys: String, CodingKey { case rate, samples }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let text = try container.decode(String.self, forKey: .samples)
        let sizes = text.split(separator: " ").map { word -> RequestSize? in
            let parts = word.split(separator: "x").map { Int($0) }
            guard parts.count == 2, let prompt = parts[0], let output = parts[1] else { return nil }
            return RequestSize(prompt: prompt, output: output)
        }
        guard sizes.allSatisfy({ $0 != nil }) else {
            throw DecodingError.dataCorruptedError(
                forKey: .samples, in: container, debugDescription: "PROMPTxOUTPUT … expected")
        }
        try self.init(
            rate: try container.decode(Double.self, forKey: .rate), requests: sizes.compactMap { $0 })
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rate, forKey: .rate)
        let words = samples.map { "\($0.prompt)x\($0.output)" }
        try container.encode(words.joined(separator: " "), forKey: .samples)
    }
}

/// When a request counts as served in time.
public struct ServiceLevels: Sendable, Hashable, Codable {
    /// Until the first token, seconds.
    public var ttft: Double
    /// Per token after the first, seconds.
    public var tpot: Double
    /// Until the last token, seconds.
    public var e2e: Double
    /// Share of the requests that is to be in time.
    public var target: Double

    /// - Throws: `ServingError` of code `workload`.
    public init(ttft: Double, tpot: Double, e2e: Double, target: Double = 0.9) throws(ServingError) {
        for (name, value) in [("ttft", ttft), ("tpot", tpot), ("e2e", e2e)] where !(value > 0) {
            throw ServingError(.workload, "\(name): \(value) s, more than 0 expected")
        }
        guard target > 0, target <= 1 else {
            throw ServingError(.workload, "target: \(target), a share above 0 and up to 1 expected")
        }
        self.ttft = ttft
        self.tpot = tpot
        self.e2e = e2e
        self.target = target
    }
}
