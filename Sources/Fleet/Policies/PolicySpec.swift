/// What one engine goes by in the pools that name the policy. `metadata.generation` is its version, and all
/// versions are kept.
public struct PolicySpec: DocumentSpec {
    /// Which engine it is for.
    public enum Subject: String, Sendable, Hashable, ClosedWord { case placement }

    public static let kind = Kind.policy
    /// The member of the same name holds the rules.
    public var type: Subject
    /// For people.
    public var description: String?
    public var placement: PlacementRules?

    public init(type: Subject, description: String? = nil, placement: PlacementRules? = nil) {
        self.type = type
        self.description = description
        self.placement = placement
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
        switch type {
        case .placement:
            guard placement == nil else { break }
            let message = "a policy of type placement says how under spec.placement"
            found.append(.init(field: "spec.placement", code: .required, message: message))
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
