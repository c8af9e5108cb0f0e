/// What a person decided about the ratio of a scope: it comes after every policy and every decision.
public struct ScopeConstraint: Sendable, Hashable, Codable {
    public enum Verb: String, Sendable, Hashable, ClosedWord {
        /// At most this ratio.
        case cap
        /// This ratio, whatever is decided.
        case pin
        /// A vCPU per vCPU, and the scope is not learnt from.
        case exclude
        /// A vCPU per vCPU for everything that is admitted from now on; what runs goes on.
        case kill
        /// The shapes of days of a model: one is two, two are one. They move no ratio by themselves.
        case split
        case merge

        /// Whether it says which ratio.
        public var hasRatio: Bool { self == .cap || self == .pin }
    }

    public var id: ID<ScopeConstraint>
    public var scope: RateScope
    public var verb: Verb
    /// Of `cap` and `pin`.
    public var ratioPerMille: Int?
    /// Shapes that `split` and `merge` speak of.
    public var prototypes: [Int]?
    /// `user/NAME`.
    public var author: String
    public var reason: String
    public var createdAt: Timestamp
    /// Never, when nil.
    public var expiresAt: Timestamp?
    /// When somebody took it back.
    public var endedAt: Timestamp?

    public init(
        id: ID<ScopeConstraint>, scope: RateScope, verb: Verb, ratioPerMille: Int? = nil,
        prototypes: [Int]? = nil, author: String, reason: String, createdAt: Timestamp,
        expiresAt: Timestamp? = nil, endedAt: Timestamp? = nil
    ) {
        self.id = id
        self.scope = scope
        self.verb = verb
        self.ratioPerMille = ratioPerMille
        self.prototypes = prototypes
        self.author = author
        self.reason = reason
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.endedAt = endedAt
    }

    public func isInForce(at now: Timestamp) -> Bool {
        endedAt == nil && expiresAt.map { $0 > now } ?? true
    }
}
