/// All models that are kept, and what becomes of their statuses when one is promoted or taken back.
public struct ModelRegister: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public var uid: ID<Document>
        public var name: String
        public var status: ModelStatus

        public init(uid: ID<Document>, name: String, status: ModelStatus) {
            self.uid = uid
            self.name = name
            self.status = status
        }
    }

    public private(set) var entries: [ID<Document>: Entry]

    public init(_ entries: [Entry]) {
        self.entries = Dictionary(entries.map { ($0.uid, $0) }, uniquingKeysWith: { $1 })
    }

    /// The model in force in a scope; of several, which must not be, the one promoted last.
    public func promoted(in scope: ModelScope) -> Entry? {
        entries.values.filter { $0.status.promotion(in: scope) != nil }.max { left, right in
            let (since, other) = (
                left.status.promotion(in: scope)?.since, right.status.promotion(in: scope)?.since
            )
            guard let since, let other, since != other else { return left.uid < right.uid }
            return since < other
        }
    }

    /// Promotes a model in a scope, in the place of the one in force there.
    ///
    /// - Returns: uids whose status changed, sorted; none when it is in force already or not known.
    public mutating func promote(
        _ uid: ID<Document>, in scope: ModelScope, by actor: String, at now: Timestamp
    ) -> [ID<Document>] {
        let before = promoted(in: scope)
        guard entries[uid] != nil, before?.uid != uid else { return [] }
        if let before { entries[before.uid]?.status.end(in: scope, at: now) }
        entries[uid]?.status.begin(.init(scope: scope, since: now, by: actor, replaced: before?.uid))
        return [uid, before?.uid].compactMap { $0 }.sorted()
    }

    /// Takes a model's promotion in a scope back, and that of the one that it replaced up again, as far as it
    /// is still there.
    ///
    /// - Returns: uids whose status changed, sorted; none when the model is not in force there.
    public mutating func takeBack(
        _ uid: ID<Document>, in scope: ModelScope, by actor: String, at now: Timestamp
    ) -> [ID<Document>] {
        guard let promotion = entries[uid]?.status.promotion(in: scope) else { return [] }
        entries[uid]?.status.end(in: scope, at: now)
        guard let earlier = promotion.replaced, entries[earlier] != nil else { return [uid] }
        entries[earlier]?.status.resume(in: scope, at: now, by: actor)
        return [uid, earlier].sorted()
    }
}
