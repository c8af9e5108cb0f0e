package import Fleet

/// A name in a document that must be the name of another document.
package struct DocumentReference: Sendable, Hashable {
    /// Path from the document's root.
    package var field: String
    package var kind: Kind
    package var name: String

    package init(field: String, kind: Kind, name: String) {
        self.field = field
        self.kind = kind
        self.name = name
    }

    /// What a document refers to, in the order in which a missing one is reported: project, cell, pool,
    /// flavor, policy.
    ///
    /// A pool names its cell and, when it is given, its policy of placement, a host its cell and pool, a
    /// workload its project and, when they are given, its cell, pool and flavor, and a VM group what its
    /// members will name. Cells, pools and hosts name their policy of oversubscription, when it is given.
    package static func all(in spec: JSONContent, kind: Kind, project: String?) -> [DocumentReference] {
        var found: [DocumentReference] = []
        if kind.isTenant {
            found.append(.init(field: "metadata.project", kind: .project, name: project ?? ""))
        }
        let (naming, path) =
            kind == .vmGroup ? (spec["template"]?["spec"], "spec.template.spec") : (spec, "spec")
        for (member, target) in members(of: kind) {
            if let name = naming?[member]?.text {
                found.append(.init(field: "\(path).\(member)", kind: target, name: name))
            }
        }
        if kind == .pool, let name = spec["policies"]?["placement"]?.text {
            found.append(.init(field: "spec.policies.placement", kind: .policy, name: name))
        }
        if [.cell, .pool, .host].contains(kind), let name = spec["policies"]?["oversubscription"]?.text {
            found.append(.init(field: "spec.policies.oversubscription", kind: .policy, name: name))
        }
        return found
    }

    private static func members(of kind: Kind) -> [(String, Kind)] {
        switch kind {
        case .pool: [("cell", .cell)]
        case .host: [("cell", .cell), ("pool", .pool)]
        case .vm, .vmGroup: [("cell", .cell), ("pool", .pool), ("flavor", .flavor)]
        case .trainingJob, .servingDeployment: [("cell", .cell), ("pool", .pool)]
        case .cell, .flavor, .policy, .model, .project, .allocation, .plan, .operation, .event, .token: []
        }
    }

    /// The cell that a document belongs to: its own name for a cell; `spec.cell`, else `status.cell`, for
    /// pools, hosts and workloads; none for other kinds.
    package static func cell(of kind: Kind, name: String, spec: String, status: String) throws -> String? {
        switch kind {
        case .cell: name
        case .pool, .host, .vm, .trainingJob, .servingDeployment:
            try JSONContent(spec)["cell"]?.text ?? JSONContent(status)["cell"]?.text
        default: nil
        }
    }
}
