/// What one engine goes by in the pools that name the policy. `metadata.generation` is its version, and all
/// versions are kept.
public struct PolicySpec: DocumentSpec {
    /// Which engine it is for.
    public enum Subject: String, Sendable, Hashable, ClosedWord { case placement, oversubscription }

    public static let kind = Kind.policy
    /// The member of the same name holds the rules.
    public var type: Subject
    /// For people.
    public var description: String?
    public var placement: PlacementRules?
    public var oversubscription: OversubscriptionRules?

    public init(
        type: Subject, description: String? = nil, placement: PlacementRules? = nil,
        oversubscription: OversubscriptionRules? = nil
    ) {
        self.type = type
        self.description = description
        self.placement = placement
        self.oversubscription = oversubscription
    }

    /// Characters of a description: a paragraph; what is longer belongs into a document of its own.
    public static let descriptionLimit = 1000

    public func defects() -> [FieldDefect] {
        var found: [FieldDefect] = []
        if let description, description.unicodeScalars.count > Self.descriptionLimit {
            found.append(
                .init(
                    field: "spec.description", code: .outOfRange,
                    message: "is longer than \(Self.descriptionLimit) characters"))
        }
        found += oversubscription?.defects(at: "spec.oversubscription") ?? []
        for (subject, rules) in [
            (Subject.placement, placement as Any?), (.oversubscription, oversubscription as Any?),
        ] {
            let field = "spec.\(subject.rawValue)"
            if subject == type, rules == nil {
                let message = "a policy of type \(type.rawValue) says how under \(field)"
                found.append(.init(field: field, code: .required, message: message))
            } else if subject != type, rules != nil {
                let message = "a policy of type \(type.rawValue) has no rules of \(subject.rawValue)"
                found.append(.init(field: field, code: .conflict, message: message))
            }
        }
        return found
    }
}

/// How VMs are placed on the hosts of a pool.
public struct PlacementRules: Sendable, Hashable, Codable {
    /// What orders the hosts that a VM fits on.
    public var score: PoolSpec.Placement

    public init(score: PoolSpec.Placement) { self.score = score }
}

/// A version of a policy document.
public struct PolicyVersion: Sendable, Hashable, Codable {
    public var name: String
    /// `metadata.generation` of the document.
    public var version: Int

    public init(name: String, version: Int) {
        self.name = name
        self.version = version
    }
}
