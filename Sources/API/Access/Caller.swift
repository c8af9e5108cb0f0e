package import Fleet
package import Store

/// An agent session that authenticated with its credential.
package struct AgentCaller: Sendable {
    package var session: SessionRecord

    package init(session: SessionRecord) { self.session = session }
}

/// Who uses a bearer token.
package struct UserCaller: Sendable {
    /// Of the token.
    package var name: String
    package var role: Role
    /// Projects that the token is bound to; nil is all.
    package var projects: Set<String>?

    package init(name: String, role: Role, projects: Set<String>? = nil) {
        self.name = name
        self.role = role
        self.projects = projects
    }

    init(_ token: AccessToken) {
        self.init(name: token.name, role: token.role, projects: token.projects.map(Set.init))
    }
}
