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
        found += placement?.defects(at: "spec.placement") ?? []
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
    /// What predicts lifetimes where owners give no hint; km when absent. With gbdt it is the model promoted
    /// for the pool, else for its cell, else everywhere.
    public var predictor: PredictorForm?
    /// Name of the model to go by, whichever is promoted; with gbdt only.
    public var model: String?
    /// When models are made of the pool's own VMs; never when absent.
    public var retraining: RetrainingRules?

    public init(
        score: PoolSpec.Placement, predictor: PredictorForm? = nil, model: String? = nil,
        retraining: RetrainingRules? = nil
    ) {
        self.score = score
        self.predictor = predictor
        self.model = model
        self.retraining = retraining
    }

    func defects(at path: String) -> [FieldDefect] {
        var found = retraining?.defects(at: "\(path).retraining") ?? []
        if predictor != nil, !score.needsLifetimes {
            let message = "\(score.rawValue) goes by no lifetimes; take another score, or leave it out"
            found.append(.init(field: "\(path).predictor", code: .conflict, message: message))
        }
        guard let model else { return found }
        if let defect = Name.defect(in: model) {
            let message = "\"\(model.prefix(80))\" \(defect)"
            found.append(.init(field: "\(path).model", code: .invalid, message: message))
        }
        if predictor != .gbdt {
            let message = "models are of the predictor gbdt; say so, or leave the model out"
            found.append(.init(field: "\(path).model", code: .conflict, message: message))
        }
        return found
    }
}

/// How a pool's models follow its VMs.
public struct RetrainingRules: Sendable, Hashable, Codable {
    /// Fleet hours from one training to the next.
    public var everyHours: Int
    /// Models of the pool that are kept beside the promoted one and the one before it; 3 when absent.
    public var keep: Int?
    /// Keys of labels to learn from, beside size, class and project.
    public var labels: [String]?
    /// The youngest VMs to learn from, at most; 20000 when absent.
    public var vms: Int?
    /// Whether a model that is no worse than the one in use takes its place; true when absent.
    public var promotes: Bool?

    public static let hoursRange = 1...8760
    public static let keepRange = 1...50
    /// Below it there is nothing to learn; above it the training takes minutes.
    public static let vmsRange = 500...100_000
    public static let labelLimit = 16

    public init(
        everyHours: Int, keep: Int? = nil, labels: [String]? = nil, vms: Int? = nil, promotes: Bool? = nil
    ) {
        self.everyHours = everyHours
        self.keep = keep
        self.labels = labels
        self.vms = vms
        self.promotes = promotes
    }

    func defects(at path: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        for (field, value, range) in [
            ("everyHours", everyHours, Self.hoursRange), ("keep", keep ?? 3, Self.keepRange),
            ("vms", vms ?? 20_000, Self.vmsRange),
        ] where !range.contains(value) {
            let nearest = min(max(value, range.lowerBound), range.upperBound)
            let message = "\(value) is outside \(range.lowerBound) to \(range.upperBound)"
            found.append(
                .init(
                    field: "\(path).\(field)", code: .outOfRange,
                    message: "\(message); the nearest is \(nearest)"))
        }
        if let labels, labels.count > Self.labelLimit || labels.contains(where: \.isEmpty) {
            let message = "takes at most \(Self.labelLimit) keys, none empty"
            found.append(.init(field: "\(path).labels", code: .outOfRange, message: message))
        }
        return found
    }
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
