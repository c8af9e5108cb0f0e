/// What a router saw of a deployment in a window of time, and which routes it follows.
public struct ServingReport: Sendable, Hashable, Codable {
    /// Upper ends of the classes of times until the first byte, milliseconds; what took longer comes last.
    public static let firstByteBounds = [
        10, 25, 50, 100, 250, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 30_000,
    ]

    /// Name of the router; reports of one replace each other.
    public var router: String
    /// Of the routes that it follows: it sends nothing by earlier ones any more.
    public var epoch: Int
    public var version: Int
    /// Length of the window.
    public var seconds: Double
    /// Requests that came.
    public var requests: Int
    /// Those that no replica answered to the end.
    public var failed: Int
    /// Of one request, the mean of those that ended in the window; nil where engines do not tell.
    public var promptTokens: Int?
    public var outputTokens: Int?
    /// Answers by the time until their first byte, a number for each class.
    public var firstBytes: [Int]
    /// Number of the window: a report that repeats it says something new of routes and replicas only. Nil of
    /// routers that report once per window.
    public var window: Int?
    /// Requests under way by replica, also on those that left the routes; nil of routers that do not tell.
    public var underWay: [String: Int]?

    public init(
        router: String, epoch: Int, version: Int, seconds: Double, requests: Int, failed: Int,
        promptTokens: Int? = nil, outputTokens: Int? = nil, firstBytes: [Int], window: Int? = nil,
        underWay: [String: Int]? = nil
    ) {
        self.router = router
        self.epoch = epoch
        self.version = version
        self.seconds = seconds
        self.requests = requests
        self.failed = failed
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.firstBytes = firstBytes
        self.window = window
        self.underWay = underWay
    }

    /// The class of a time.
    public static func firstByteClass(_ milliseconds: Double) -> Int {
        firstByteBounds.firstIndex { milliseconds <= Double($0) } ?? firstByteBounds.count
    }

    /// Answers whose first byte came within a time, milliseconds; within a class they count as spread evenly.
    public func answered(within limit: Int) -> Double {
        var sum = 0.0
        var low = 0
        for (count, high) in zip(firstBytes, Self.firstByteBounds) {
            if limit <= low { break }
            let share = limit >= high ? 1 : Double(limit - low) / Double(high - low)
            sum += Double(count) * share
            low = high
        }
        return sum
    }

    /// Everything that keeps it from being taken.
    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if !(1...Name.labelLengthLimit).contains(router.unicodeScalars.count) {
            found.append(.init(field: "router", code: .required, message: "name the router"))
        }
        if !(seconds > 0 && seconds <= 3600) {
            found.append(
                .init(field: "seconds", code: .outOfRange, message: "\(seconds) is outside 0 to 3600"))
        }
        let numbers = [
            ("epoch", epoch), ("version", version), ("requests", requests), ("failed", failed),
            ("promptTokens", promptTokens ?? 0), ("outputTokens", outputTokens ?? 0),
            ("window", window ?? 0),
        ]
        found += numbers.filter { !(0...1_000_000_000_000).contains($0.1) }.map { name, value in
            FieldDefect(field: name, code: .outOfRange, message: "\(value) is outside 0 to 10^12")
        }
        let counts = underWay ?? [:]
        if counts.count > ServingRoutes.limit
            || counts.values.contains(where: { !(0...1_000_000_000).contains($0) })
            || counts.keys.contains(where: { !(1...Name.labelLengthLimit).contains($0.unicodeScalars.count) })
        {
            found.append(
                .init(
                    field: "underWay", code: .invalid,
                    message: "at most \(ServingRoutes.limit) replicas and their requests, from 0 on, expected"
                ))
        }
        let classes = Self.firstByteBounds.count + 1
        if firstBytes.count != classes || firstBytes.contains(where: { !(0...1_000_000_000).contains($0) }) {
            found.append(
                .init(
                    field: "firstBytes", code: .invalid,
                    message: "\(classes) numbers of answers, from 0 on, expected"))
        }
        return found
    }
}

/// A report, and when the controllers had it.
public struct ServingReportRecord: Sendable, Hashable {
    public var report: ServingReport
    public var at: Timestamp

    public init(report: ServingReport, at: Timestamp) {
        self.report = report
        self.at = at
    }
}

/// What is seen of a deployment beside what its plan says.
public struct ServingObservation: Sendable, Hashable, Codable {
    /// Requests that come, and their sizes as far as engines tell them.
    public var demand: ServingDemand
    /// Of the requests, those whose first byte came in time.
    public var inTimePerMille: Int?
    /// Routers that report.
    public var routers: Int
    /// Earliest version of routes that one of them follows.
    public var version: Int
    public var at: Timestamp

    public init(
        demand: ServingDemand, inTimePerMille: Int?, routers: Int, version: Int, at: Timestamp
    ) {
        self.demand = demand
        self.inTimePerMille = inTimePerMille
        self.routers = routers
        self.version = version
        self.at = at
    }
}
