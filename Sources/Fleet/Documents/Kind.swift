/// The kinds of documents, in the words of the API.
public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    case cell = "Cell"
    case pool = "Pool"
    case host = "Host"
    case flavor = "Flavor"
    case policy = "Policy"
    case model = "Model"
    case project = "Project"
    case vm = "VM"
    case vmGroup = "VMGroup"
    case trainingJob = "TrainingJob"
    case servingDeployment = "ServingDeployment"
    case allocation = "Allocation"
    case plan = "Plan"
    case operation = "Operation"
    case event = "Event"
    case token = "Token"

    /// Segment of the path under `/v1`, also what the CLI takes.
    public var plural: String {
        switch self {
        case .policy: "policies"
        default: rawValue.lowercased() + "s"
        }
    }

    /// Whether documents of this kind live in a project.
    public var isTenant: Bool {
        switch self {
        case .vm, .vmGroup, .trainingJob, .servingDeployment: true
        case .cell, .pool, .host, .flavor, .policy, .model, .project, .allocation, .plan, .operation, .event,
            .token:
            false
        }
    }

    /// Whether the kind is part of the resource table; the others have tables of their own and are read-only
    /// in the API or have verbs of their own.
    public var isDocument: Bool {
        switch self {
        case .cell, .pool, .host, .flavor, .policy, .model, .project, .vm, .vmGroup, .trainingJob,
            .servingDeployment:
            true
        case .allocation, .plan, .operation, .event, .token: false
        }
    }

    /// Whether every spec that a document of this kind had is kept. The trigger `audit_version` of the schema
    /// lists the same kinds.
    public var keepsHistory: Bool { self == .policy }

    /// Fields that lists are narrowed by, beside `name` and `cell`: paths of strings in `spec` and `status`.
    public var selectableFields: [String] {
        switch self {
        case .vm: ["spec.class", "spec.flavor", "spec.pool", "status.host", "status.state"]
        case .trainingJob: ["spec.class", "spec.model", "spec.pool", "status.state"]
        case .servingDeployment: ["spec.model", "spec.pool", "status.state"]
        case .host: ["spec.pool", "status.contact"]
        case .pool: ["spec.placement", "spec.policies.placement"]
        case .policy: ["spec.placement.score", "spec.type"]
        case .model: ["spec.form", "spec.training.dataHash", "status.state"]
        default: []
        }
    }

    /// Reads a singular, plural or differently cased name, as a CLI user types it.
    public init?(named text: String) {
        let lowered = text.lowercased()
        guard
            let kind = Kind.allCases.first(where: {
                $0.plural == lowered || $0.rawValue.lowercased() == lowered
            })
        else { return nil }
        self = kind
    }
}
