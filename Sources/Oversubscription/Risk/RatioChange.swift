/// A change of a scope's ratio that nobody asked for by hand, and all that decides whether it may happen.
///
/// A lower ratio is safer and goes at once. A higher one needs a calibrated model, a world that has not
/// changed, a quiet day, budget, and a trial on few hosts.
public struct RatioChange: Sendable, Hashable {
    /// What stands in the way of a higher ratio.
    public enum Obstacle: String, Sendable, Hashable, Codable, CaseIterable {
        /// Too few residuals to say how bold is safe.
        case calibration
        case drift
        /// A guard acted on a host of the scope within a day, or still does.
        case guardEvent
        case budget
        /// A twentieth of the scope's hosts is less than one host: a person has to decide.
        case tooFewHosts
        /// The trial's hosts were hotter than the target.
        case canary
    }

    /// What to do.
    public enum Verdict: Sendable, Hashable {
        case apply
        /// On these hosts first, for a day.
        case startCanary([String])
        case awaitCanary
        /// In the order of `Obstacle`; a running trial ends.
        case refuse([Obstacle])
    }

    /// Residuals below which a margin says nothing.
    public static let leastCalibration = 200
    private static let quietSeconds = 86_400

    public var decision: String
    public var fromPerMille: Int
    public var toPerMille: Int
    /// Residuals that the margin rests on.
    public var calibration: Int
    public var isDrifting: Bool
    /// When a guard last acted on a host of the scope, in seconds; nil for never.
    public var latestGuardEvent: Int?
    /// Whether a guard of a host of the scope is above observing.
    public var isGuarded: Bool
    public var budget: ErrorBudget.Verdict
    public var hosts: [String]
    public var canary: Canary?
    /// Bins of the trial's hosts since it began.
    public var canaryBins: Int
    public var canaryHotBins: Int
    /// Share of bins that may be hot.
    public var target: Double

    public init(
        decision: String, fromPerMille: Int, toPerMille: Int, calibration: Int, isDrifting: Bool = false,
        latestGuardEvent: Int? = nil, isGuarded: Bool = false, budget: ErrorBudget.Verdict = .open,
        hosts: [String], canary: Canary? = nil, canaryBins: Int = 0, canaryHotBins: Int = 0,
        target: Double
    ) {
        self.decision = decision
        self.fromPerMille = fromPerMille
        self.toPerMille = toPerMille
        self.calibration = calibration
        self.isDrifting = isDrifting
        self.latestGuardEvent = latestGuardEvent
        self.isGuarded = isGuarded
        self.budget = budget
        self.hosts = hosts
        self.canary = canary
        self.canaryBins = canaryBins
        self.canaryHotBins = canaryHotBins
        self.target = target
    }

    /// - Parameter now: seconds.
    public func verdict(at now: Int) -> Verdict {
        guard toPerMille > fromPerMille else { return .apply }
        let trial = Canary.hosts(of: hosts, decision: decision)
        let isQuiet = !isGuarded && latestGuardEvent.map { now - $0 >= Self.quietSeconds } ?? true
        let isTooHot = canaryBins > 0 && Double(canaryHotBins) > target * Double(canaryBins)
        let obstacles: [(Obstacle, Bool)] = [
            (.calibration, calibration < Self.leastCalibration), (.drift, isDrifting),
            (.guardEvent, !isQuiet), (.budget, budget != .open), (.tooFewHosts, trial == nil),
            (.canary, canary != nil && isTooHot),
        ]
        let standing = obstacles.filter(\.1).map(\.0)
        guard standing.isEmpty else { return .refuse(standing) }
        guard let canary else { return .startCanary(trial ?? []) }
        // A trial without samples has shown nothing.
        return canary.isOver(at: now) && canaryBins > 0 ? .apply : .awaitCanary
    }
}
