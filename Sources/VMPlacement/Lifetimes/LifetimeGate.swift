/// What predictions are good enough for, by how often predicted classes were right lately.
///
/// Measured on the Azure trace of 2017, where the oracle's errors of σ 1, 1.5, 2 and 3 are right in .75, .57,
/// .41 and .19 of the cases, and a model that knows no more than sizes in .2: LAVA is ahead of NILAS down to
/// about .6; NILAS with re-prediction is clearly ahead of best fit at .4, and at .2 it falls below it in one
/// quarter of the trace.
enum LifetimeGate: Int, Sendable, Hashable, Codable, Comparable {
    /// Neither exits nor classes: best fit.
    case closed
    /// Exits, which re-prediction mends: NILAS.
    case exits
    /// Classes too: LAVA.
    case classes

    /// Share below which the gate falls.
    private var least: Double {
        switch self {
        case .closed: 0
        case .exits: 0.35
        case .classes: 0.65
        }
    }

    /// What more it takes to rise again, so that the policy does not change from hour to hour.
    private static let margin = 0.03

    /// The gate after more VMs were judged; closed until they are enough.
    func next(_ accuracy: ClassAccuracy) -> LifetimeGate {
        guard let share = accuracy.share else { return .closed }
        return [.classes, .exits].first { share >= $0.least + ($0 > self ? Self.margin : 0) } ?? .closed
    }

    static func < (lhs: LifetimeGate, rhs: LifetimeGate) -> Bool { lhs.rawValue < rhs.rawValue }
}
