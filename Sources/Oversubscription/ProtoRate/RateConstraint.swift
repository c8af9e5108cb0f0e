/// What a person decided about a scope's rate. It holds after anything that is learnt.
public struct RateConstraint: Sendable, Hashable {
    /// What is demanded.
    public enum Verb: Sendable, Hashable {
        /// This share, neither more nor less.
        case pin(share: Double)
        /// This share at least: the scope's ratio is capped.
        case cap(leastShare: Double)
        /// Every vCPU has its core.
        case exclude
    }

    public var verb: Verb
    public var author: String
    public var reason: String
    /// The hour from which on it holds no more; nil for never.
    public var expiresAt: Int?

    public init(_ verb: Verb, author: String, reason: String, expiresAt: Int? = nil) {
        self.verb = verb
        self.author = author
        self.reason = reason
        self.expiresAt = expiresAt
    }

    /// The share that constraints leave of a proposed one: an exclusion counts before a pin, a pin before a
    /// cap, and of several pins or caps the safest.
    public static func apply(_ constraints: [RateConstraint], to share: Double, hour: Int) -> Double {
        let live = constraints.filter { constraint in constraint.expiresAt.map { hour < $0 } ?? true }
        if live.contains(where: { $0.verb == .exclude }) { return 1 }
        var pin: Double?
        var least = 0.0
        for constraint in live {
            switch constraint.verb {
            case .pin(let share): pin = max(pin ?? 0, share)
            case .cap(let share): least = max(least, share)
            case .exclude: break
            }
        }
        return min(1, max(0, pin ?? max(share, least)))
    }
}
