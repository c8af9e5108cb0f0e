/// How a pool's training jobs are scheduled.
public struct TrainingRules: Sendable, Hashable, Codable {
    public enum Policy: String, Sendable, Hashable, ClosedWord {
        /// Plans and resources of jobs change together.
        case rubick
        /// In the order of submission, each in its submitted shape.
        case fifo
        /// The same, and whoever fits passes who does not.
        case fifoBackfill = "fifo-backfill"
        /// The same, but nobody delays the first that does not fit.
        case easy
        /// The same, but nobody delays anybody before it.
        case conservative
        /// The shortest of those that fit.
        case sjf
        /// Whoever had least runs.
        case tiresias
        /// A prefix of the order of submission, host threads shared in proportion.
        case synergy
        /// The best set of numbers of devices, in the submitted kind of plan.
        case sia
        /// Equal shares of time.
        case gavel
        /// Guaranteed jobs as submitted, best-effort ones in what they leave.
        case antman
        /// As `rubick`, but the submitted number of devices stays.
        case rubickPlans = "rubick-e"
        /// As `rubick`, but the submitted kind of plan stays.
        case rubickResources = "rubick-r"
    }

    /// `rubick` when absent.
    public var policy: Policy?
    /// Share of a job's time, per mille, that its changes of shape must leave for work; 970 when absent.
    public var gatePerMille: Int?
    /// Seconds from a change of shape to the next step; 78 when absent.
    public var restartSeconds: Int?
    /// Seconds after which a waiting job comes before all that came later; 6 hours when absent.
    public var agingSeconds: Int?

    public init(
        policy: Policy? = nil, gatePerMille: Int? = nil, restartSeconds: Int? = nil, agingSeconds: Int? = nil
    ) {
        self.policy = policy
        self.gatePerMille = gatePerMille
        self.restartSeconds = restartSeconds
        self.agingSeconds = agingSeconds
    }

    /// Seconds from a change of shape to the next step.
    public var restart: Double { Double(restartSeconds ?? 78) }

    func defects(at field: String) -> [FieldDefect] {
        let rules = [
            ("gatePerMille", gatePerMille, 0...999), ("restartSeconds", restartSeconds, 0...86_400),
            ("agingSeconds", agingSeconds, 0...31_536_000),
        ]
        return rules.compactMap { name, value, bounds in
            guard let value, !bounds.contains(value) else { return nil }
            let nearest = min(max(value, bounds.lowerBound), bounds.upperBound)
            return FieldDefect(
                field: "\(field).\(name)", code: .outOfRange,
                message: "\(value) is outside \(bounds.lowerBound) to \(bounds.upperBound); "
                    + "the nearest is \(nearest)")
        }
    }
}
