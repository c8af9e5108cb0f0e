/// Where a model is in use, and where it was.
public struct ModelStatus: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Hashable, Codable, CaseIterable {
        /// Never in use.
        case candidate
        /// In use somewhere.
        case promoted
        /// Was in use.
        case retired
    }

    /// A stretch of time in which pools of a scope went by the model.
    public struct Promotion: Sendable, Hashable, Codable {
        public var scope: ModelScope
        public var since: Timestamp
        /// Nil while it is in force.
        public var until: Timestamp?
        public var by: String
        /// The model that was in force before, to which a rollback returns.
        public var replaced: ID<Document>?

        public init(
            scope: ModelScope, since: Timestamp, until: Timestamp? = nil, by: String,
            replaced: ID<Document>? = nil
        ) {
            self.scope = scope
            self.since = since
            self.until = until
            self.by = by
            self.replaced = replaced
        }
    }

    public var state: State
    /// Oldest first; of those that ended the last `historyLimit`.
    public var promotions: [Promotion]

    /// Ended promotions that a model remembers.
    public static let historyLimit = 16

    public init(state: State = .candidate, promotions: [Promotion] = []) {
        self.state = state
        self.promotions = promotions
    }

    /// The promotion in force in a scope.
    public func promotion(in scope: ModelScope) -> Promotion? {
        promotions.last { $0.scope == scope && $0.until == nil }
    }

    mutating func begin(_ promotion: Promotion) {
        promotions.append(promotion)
        settle()
    }

    mutating func end(in scope: ModelScope, at now: Timestamp) {
        for index in promotions.indices
        where promotions[index].scope == scope && promotions[index].until == nil {
            promotions[index].until = now
        }
        settle()
    }

    /// Takes up the last promotion in a scope again, with what it replaced.
    mutating func resume(in scope: ModelScope, at now: Timestamp, by actor: String) {
        let last = promotions.lastIndex { $0.scope == scope }
        let replaced = last.flatMap { promotions[$0].replaced }
        if let last { promotions.remove(at: last) }
        begin(Promotion(scope: scope, since: now, by: actor, replaced: replaced))
    }

    private mutating func settle() {
        let ended = promotions.indices.filter { promotions[$0].until != nil }
        for index in ended.dropLast(Self.historyLimit).reversed() { promotions.remove(at: index) }
        if promotions.contains(where: { $0.until == nil }) {
            state = .promoted
        } else {
            state = promotions.isEmpty ? .candidate : .retired
        }
    }
}
