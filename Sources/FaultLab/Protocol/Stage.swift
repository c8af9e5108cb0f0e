public import Fleet

/// What is asked of an agent, in this order.
public enum Stage: String, Sendable, Hashable, Comparable, ClosedWord {
    /// Is anything wrong?
    case detection
    /// Which component?
    case localisation
    /// At which level, and of what type?
    case analysis
    /// Put it right.
    case mitigation

    public static func < (lhs: Stage, rhs: Stage) -> Bool { lhs.order < rhs.order }

    private var order: Int {
        switch self {
        case .detection: 0
        case .localisation: 1
        case .analysis: 2
        case .mitigation: 3
        }
    }
}
