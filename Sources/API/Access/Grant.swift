package import Fleet

/// What a route asks of its caller.
package enum Grant: Sendable, Hashable {
    /// Nothing: probes, the version, the contract, and the exchange of a join token, which is a secret
    /// itself.
    case open
    /// The credential of an agent session.
    case agent
    case read(Reach)
    case write(Reach)
    /// Tokens and the audit log: admins only.
    case administer

    /// Whose objects a route shows or changes.
    package enum Reach: Sendable, Hashable {
        /// The whole fleet's: refused to tokens that are bound to projects.
        case fleet
        /// What tenants choose from, such as flavors: bound tokens read it.
        case catalogue
        /// The project's in the path, which does not exist for a token bound to others.
        case project
        /// Several projects'; the route shows those of the caller only.
        case ownProjects
    }
}

/// The answer to a caller who asks for something.
package enum Verdict: String, Sendable, Hashable {
    case allowed, forbidden
    /// As if there were no such object.
    case hidden
}

extension Grant {
    /// - Parameters:
    ///   - projects: projects that the caller is bound to; nil is all.
    ///   - project: the one in the path.
    package func verdict(role: Role, projects: Set<String>?, project: String?) -> Verdict {
        switch self {
        case .open: .allowed
        case .agent: .forbidden
        case .administer: role == .admin && projects == nil ? .allowed : .forbidden
        case .read(let reach):
            Self.verdict(reach, mayWrite: false, isWrite: false, role, projects, project)
        case .write(let reach):
            Self.verdict(
                reach, mayWrite: role == .admin || role == .operator, isWrite: true, role, projects, project)
        }
    }

    private static func verdict(
        _ reach: Reach, mayWrite: Bool, isWrite: Bool, _ role: Role, _ projects: Set<String>?,
        _ project: String?
    ) -> Verdict {
        guard role != .agentSession else { return .forbidden }
        if let projects {
            switch reach {
            case .fleet: return .forbidden
            case .catalogue: if isWrite { return .forbidden }
            case .project: if !projects.contains(project ?? "") { return .hidden }
            case .ownProjects: break
            }
        }
        return !isWrite || mayWrite ? .allowed : .forbidden
    }
}
