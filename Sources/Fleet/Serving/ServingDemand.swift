/// When a request counts as served in time.
public struct ServingLevels: Sendable, Hashable, Codable {
    /// Until the first token.
    public var ttftMilliseconds: Int
    /// Per token after the first.
    public var tpotMilliseconds: Int
    /// Until the last token.
    public var e2eMilliseconds: Int
    /// Share of the requests that is to be in time; 900 when absent.
    public var targetPerMille: Int?

    public init(
        ttftMilliseconds: Int, tpotMilliseconds: Int, e2eMilliseconds: Int, targetPerMille: Int? = nil
    ) {
        self.ttftMilliseconds = ttftMilliseconds
        self.tpotMilliseconds = tpotMilliseconds
        self.e2eMilliseconds = e2eMilliseconds
        self.targetPerMille = targetPerMille
    }

    /// Of people who read while the model writes.
    public static let usual = ServingLevels(
        ttftMilliseconds: 2000, tpotMilliseconds: 100, e2eMilliseconds: 30_000)

    func defects(at field: String) -> [FieldDefect] {
        let times = [
            ("ttftMilliseconds", ttftMilliseconds), ("tpotMilliseconds", tpotMilliseconds),
            ("e2eMilliseconds", e2eMilliseconds),
        ]
        var found = times.filter { !(1...3_600_000).contains($0.1) }.map { name, value in
            FieldDefect(
                field: "\(field).\(name)", code: .outOfRange, message: "\(value) is outside 1 to 3600000")
        }
        if let targetPerMille, !(1...1000).contains(targetPerMille) {
            found.append(
                .init(
                    field: "\(field).targetPerMille", code: .outOfRange,
                    message: "\(targetPerMille) is outside 1 to 1000"))
        }
        return found
    }
}

/// How many requests are expected, and of which sizes.
public struct ServingDemand: Sendable, Hashable, Codable {
    public var requestsPerMinute: Int
    /// Of one request; the mean.
    public var promptTokens: Int
    /// Of one answer; the mean.
    public var outputTokens: Int

    public init(requestsPerMinute: Int, promptTokens: Int, outputTokens: Int) {
        self.requestsPerMinute = requestsPerMinute
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
    }

    /// For people.
    public var words: String {
        "\(requestsPerMinute) requests a minute of \(promptTokens) and \(outputTokens) tokens"
    }

    func defects(at field: String) -> [FieldDefect] {
        [
            ("requestsPerMinute", requestsPerMinute, 6_000_000), ("promptTokens", promptTokens, 1_000_000),
            ("outputTokens", outputTokens, 1_000_000),
        ].filter { !(1...$0.2).contains($0.1) }.map { name, value, limit in
            FieldDefect(
                field: "\(field).\(name)", code: .outOfRange, message: "\(value) is outside 1 to \(limit)")
        }
    }
}

/// Dimensions of a model that the catalogue does not have, as its `config.json` gives them.
public struct ServingModelShape: Sendable, Hashable, Codable {
    public var layers: Int
    public var hidden: Int
    public var heads: Int
    /// As many as `heads` when absent.
    public var kvHeads: Int?
    public var feedForward: Int
    public var vocabulary: Int

    public init(
        layers: Int, hidden: Int, heads: Int, kvHeads: Int? = nil, feedForward: Int, vocabulary: Int
    ) {
        self.layers = layers
        self.hidden = hidden
        self.heads = heads
        self.kvHeads = kvHeads
        self.feedForward = feedForward
        self.vocabulary = vocabulary
    }

    func defects(at field: String) -> [FieldDefect] {
        var found = [
            ("layers", layers, 1000), ("hidden", hidden, 1 << 20), ("heads", heads, 4096),
            ("kvHeads", kvHeads ?? heads, 4096), ("feedForward", feedForward, 1 << 24),
            ("vocabulary", vocabulary, 1 << 24),
        ].filter { !(1...$0.2).contains($0.1) }.map { name, value, limit in
            FieldDefect(
                field: "\(field).\(name)", code: .outOfRange, message: "\(value) is outside 1 to \(limit)")
        }
        if found.isEmpty, hidden % heads != 0 {
            found.append(
                .init(
                    field: "\(field).heads", code: .invalid,
                    message: "\(heads) heads do not divide \(hidden)"))
        }
        return found
    }
}
