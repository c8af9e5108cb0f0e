internal import Fleet

/// What routers saw of a deployment lately, and whether requests come otherwise than its plan was made for:
/// pure.
struct ServingWatch: Equatable {
    /// All routers together.
    struct Window: Equatable {
        /// Requests per second.
        var rate: Double
        var seconds: Double
        var promptTokens: Double?
        var outputTokens: Double?
        /// Share of the requests whose first byte came in time; nil of too few requests.
        var inTime: Double?
    }

    /// Why another plan may be better.
    enum Cause: String, Equatable { case rate, lengths, late }

    struct Shift: Equatable {
        var demand: ServingDemand
        var cause: Cause
    }

    /// Windows in a row that have to say the same.
    static let needed = 3
    /// A router that has been silent for so long counts no more.
    static let patience = Duration.seconds(45)
    /// Of the rate, and of the mean of lengths.
    static let rateTolerance = 0.2
    static let lengthTolerance = 0.25
    /// Of the share in time, below that which is aimed at.
    static let lateTolerance = 0.05
    /// Requests of a window that say anything of shares.
    static let fewest = 20.0

    /// What of a router was counted last.
    private struct Mark: Equatable {
        var at: Timestamp
        var window: Int?

        /// Whether a report counts something that this one did not.
        func isBefore(_ other: Mark) -> Bool {
            if let window, let next = other.window { return window != next }
            return at < other.at
        }
    }

    private var windows: [Window] = []
    private var taken: [String: Mark] = [:]
    /// The last of each router.
    private var latest: [ServingReport] = []
    /// Nil where no router reports.
    private(set) var observation: ServingObservation?

    /// Takes the last reports of all routers.
    ///
    /// - Parameters:
    ///   - limit: until the first token, milliseconds.
    ///   - demand: of the plan; stands for lengths that engines do not tell.
    mutating func take(
        _ reports: [ServingReportRecord], limit: Int, demand: ServingDemand, now: Timestamp
    ) {
        let fresh = reports.filter { now.since($0.at) <= Self.patience }
        guard let first = fresh.first else {
            self = Self()
            return
        }
        latest = fresh.map(\.report)
        // Windows go by one router's: others may be between two of theirs.
        let mark = Mark(at: first.at, window: first.report.window)
        let isNew = taken[first.report.router].map { $0.isBefore(mark) } ?? true
        guard isNew else {
            observation?.routers = fresh.count
            observation?.version = latest.map(\.version).min() ?? 0
            return
        }
        taken = Dictionary(
            fresh.map { ($0.report.router, Mark(at: $0.at, window: $0.report.window)) },
            uniquingKeysWith: { $1 })
        let window = Self.window(latest, limit: limit)
        windows = windows.suffix(Self.needed - 1) + [window]
        observation = ServingObservation(
            demand: ServingDemand(
                requestsPerMinute: Int((60 * window.rate).rounded()),
                promptTokens: Int(window.promptTokens ?? Double(demand.promptTokens)),
                outputTokens: Int(window.outputTokens ?? Double(demand.outputTokens))),
            inTimePerMille: window.inTime.map { Int($0 * 1000) }, routers: fresh.count,
            version: fresh.map(\.report.version).min() ?? 0, at: first.at)
    }

    private static func window(_ reports: [ServingReport], limit: Int) -> Window {
        func mean(_ tokens: (ServingReport) -> Int?) -> Double? {
            let known = reports.compactMap { report in
                tokens(report).map { (Double($0), Double(max(1, report.requests))) }
            }
            guard !known.isEmpty else { return nil }
            return known.reduce(0) { $0 + $1.0 * $1.1 } / known.reduce(0) { $0 + $1.1 }
        }
        let requests = Double(reports.reduce(0) { $0 + $1.requests })
        let inTime = reports.reduce(0) { $0 + $1.answered(within: limit) }
        return Window(
            rate: reports.reduce(0) { $0 + Double($1.requests) / $1.seconds },
            seconds: reports.map(\.seconds).max() ?? 1, promptTokens: mean(\.promptTokens),
            outputTokens: mean(\.outputTokens), inTime: requests >= fewest ? inTime / requests : nil)
    }

    /// What a plan should be made for instead of what it was made for; nil as long as that is about right.
    ///
    /// Fewer requests than planned for are no reason: who owns the deployment expects more.
    ///
    /// - Parameter target: share that is to be in time.
    func shift(from demand: ServingDemand, target: Double) -> Shift? {
        guard windows.count == Self.needed else { return nil }
        let expected = Double(demand.requestsPerMinute) / 60
        func all(_ holds: (Window) -> Bool) -> Bool { windows.allSatisfy(holds) }
        func differs(_ tokens: (Window) -> Double?, _ planned: Int) -> Bool {
            all { window in
                guard let value = tokens(window), window.rate * window.seconds >= Self.fewest else {
                    return false
                }
                return abs(value - Double(planned)) > Self.lengthTolerance * Double(planned)
            }
        }
        let isMore = all { window in
            let count = expected * window.seconds
            // Beyond chance as well: three deviations of a Poisson count.
            return window.rate > expected * (1 + Self.rateTolerance)
                && window.rate * window.seconds - count > 3 * count.squareRoot()
        }
        let prompts = differs(\.promptTokens, demand.promptTokens)
        let outputs = differs(\.outputTokens, demand.outputTokens)
        let isLate = all { ($0.inTime ?? 1) < target - Self.lateTolerance }
        guard isMore || prompts || outputs || isLate else { return nil }
        func mean(_ value: (Window) -> Double?, _ planned: Int) -> Int {
            let known = windows.compactMap(value)
            return known.isEmpty ? planned : max(1, Int(known.reduce(0, +) / Double(known.count)))
        }
        let next = ServingDemand(
            requestsPerMinute: max(demand.requestsPerMinute, mean({ 60 * $0.rate }, 0)),
            promptTokens: prompts || isLate
                ? mean(\.promptTokens, demand.promptTokens) : demand.promptTokens,
            outputTokens: outputs || isLate
                ? mean(\.outputTokens, demand.outputTokens) : demand.outputTokens)
        guard next != demand else { return nil }
        return Shift(demand: next, cause: isMore ? .rate : prompts || outputs ? .lengths : .late)
    }

    /// Requests on a replica, of all routers that report, also where none does.
    ///
    /// - Parameter version: of the first routes without it.
    /// - Returns: nil while one of them follows earlier routes.
    func underWay(on replica: String, since version: Int) -> Int? {
        guard latest.allSatisfy({ $0.version >= version }) else { return nil }
        return latest.reduce(0) { $0 + ($1.underWay?[replica] ?? 0) }
    }
}
