/// The kinds of documents, in the words of the API.
public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    case cell = "Cell"
    case pool = "Pool"
    case host = "Host"
    case flavor = "Flavor"
    case project = "Project"
    case vm = "VM"
    case vmGroup = "VMGroup"
    case allocation = "Allocation"
    case plan = "Plan"
    case operation = "Operation"
    case event = "Event"
    case token = "Token"

    /// Segment of the path under `/v1`, also what the CLI takes.
    public var plural: String { rawValue.lowercased() + "s" }

    /// Whether documents of this kind live in a project.
    public var isTenant: Bool { self == .vm || self == .vmGroup }

    /// Whether the kind is part of the resource table; the others have tables of their own and are read-only
    /// in the API or have verbs of their own.
    public var isDocument: Bool {
        switch self {
        case .cell, .pool, .host, .flavor, .project, .vm, .vmGroup: true
        case .allocation, .plan, .operation, .event, .token: false
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
