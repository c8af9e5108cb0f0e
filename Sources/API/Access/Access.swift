package import Fleet
package import HTTPTypes

/// Who may do what: one table, everything else denied.
package enum Access {
    /// Paths without authentication: probes, and the exchange of a join token, which is a secret itself.
    package static func isOpen(_ path: String) -> Bool {
        ["/healthz", "/readyz", "/v1/version", "/v1/agent/join"].contains(path)
    }

    package static func allows(_ role: Role, method: HTTPRequest.Method, path: String) -> Bool {
        switch role {
        case .admin: return true
        case .operator: return path != "/v1/tokens" || method == .get
        case .viewer: return method == .get && path != "/v1/tokens" || path == "/v1/check"
        case .agentSession: return false
        }
    }
}
