public import Fleet

/// Body of `POST /v1/oversubscription/constraints`: what a person decides about a scope.
public struct ConstraintRequest: Sendable, Hashable, Codable {
    /// Such as `pool/vms`.
    public var scope: String
    public var verb: ScopeConstraint.Verb
    /// Of `cap` and `pin`.
    public var ratioPerMille: Int?
    /// Shapes of days that `split` and `merge` speak of.
    public var prototypes: [Int]?
    public var reason: String
    /// Seconds until it ends; nil never does.
    public var ttlSeconds: Int?

    public init(
        scope: String, verb: ScopeConstraint.Verb, ratioPerMille: Int? = nil, prototypes: [Int]? = nil,
        reason: String, ttlSeconds: Int? = nil
    ) {
        self.scope = scope
        self.verb = verb
        self.ratioPerMille = ratioPerMille
        self.prototypes = prototypes
        self.reason = reason
        self.ttlSeconds = ttlSeconds
    }

    /// A year: what shall stand longer stands until somebody takes it back.
    public static let longest = 31_536_000

    /// What is wrong with it, in the words of the request.
    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        func add(_ field: String, _ code: FieldDefect.Code, _ message: String) {
            found.append(.init(field: field, code: code, message: message))
        }
        if RateScope(scope) == nil {
            add("scope", .invalid, "\"\(scope.prefix(80))\" is not a scope; \(Self.nearest(scope))")
        }
        switch (verb.hasRatio, ratioPerMille) {
        case (true, nil): add("ratioPerMille", .required, "\(verb.rawValue) says which ratio")
        case (false, .some): add("ratioPerMille", .conflict, "\(verb.rawValue) has no ratio; leave it out")
        case (true, .some(let ratio)) where !RatioLimit.perMille.contains(ratio):
            let (least, most) = (RatioLimit.perMille.lowerBound, RatioLimit.perMille.upperBound)
            let nearest = min(max(ratio, least), most)
            add(
                "ratioPerMille", .outOfRange,
                "\(ratio) is outside \(least) to \(most); the nearest is \(nearest)")
        default: break
        }
        found += prototypeDefects()
        if reason.isEmpty {
            add("reason", .required, "say why, for whoever finds the scope so")
        } else if reason.unicodeScalars.count > RatioLimit.reason {
            add("reason", .outOfRange, "is longer than \(RatioLimit.reason) characters")
        }
        if let ttl = ttlSeconds, !(1...Self.longest).contains(ttl) {
            let nearest = min(max(ttl, 1), Self.longest)
            add(
                "ttlSeconds", .outOfRange, "\(ttl) is outside 1 to \(Self.longest); the nearest is \(nearest)"
            )
        }
        return found
    }

    private func prototypeDefects() -> [FieldDefect] {
        let wanted = verb == .split ? 1 : verb == .merge ? 2 : 0
        let given = prototypes ?? []
        if given.count != wanted || Set(given).count != given.count {
            let words = wanted == 0 ? "no prototypes" : wanted == 1 ? "one prototype" : "two prototypes"
            return [
                .init(
                    field: "prototypes", code: wanted == 0 ? .conflict : .required,
                    message: "\(verb.rawValue) names \(words)")
            ]
        }
        let most = RatioLimit.prototypes.upperBound - 1
        guard let wrong = given.first(where: { !(0...most).contains($0) }) else { return [] }
        return [
            .init(
                field: "prototypes", code: .outOfRange,
                message: "\(wrong) is outside 0 to \(most); the nearest is \(min(max(wrong, 0), most))")
        ]
    }

    private static func nearest(_ text: String) -> String {
        let level = text.split(separator: "/").first.map(String.init) ?? text
        let word = NearestChoice.of(level, among: RateScope.Level.offered) ?? RateScope.Level.pool.rawValue
        return "write it as \(word)/NAME"
    }
}

/// Body of `POST /v1/oversubscription/scopes/{level}/{name}/what-if`.
public struct WhatIfRequest: Sendable, Hashable, Codable {
    /// Name of a policy of type oversubscription.
    public var policy: String?
    /// In place of a policy; what is in force when both are absent.
    public var rules: OversubscriptionRules?
    /// To look back on; 28 when absent.
    public var days: Int?

    public init(policy: String? = nil, rules: OversubscriptionRules? = nil, days: Int? = nil) {
        self.policy = policy
        self.rules = rules
        self.days = days
    }

    /// What is wrong with it, in the words of the request.
    ///
    /// - Parameter span: days that may be asked for.
    public func defects(days span: ClosedRange<Int>) -> [FieldDefect] {
        var found = rules?.defects(at: "rules") ?? []
        if policy != nil, rules != nil {
            found.append(.init(field: "rules", code: .conflict, message: "give a policy or rules, not both"))
        }
        if let days, !span.contains(days) {
            let (least, most) = (span.lowerBound, span.upperBound)
            let nearest = min(max(days, least), most)
            found.append(
                .init(
                    field: "days", code: .outOfRange,
                    message: "\(days) is outside \(least) to \(most); the nearest is \(nearest)"))
        }
        return found
    }
}

/// Body of `POST /v1/oversubscription/reviews/{id}/approve` and `…/constraints/{id}/end`.
public struct ReasonRequest: Sendable, Hashable, Codable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
}
