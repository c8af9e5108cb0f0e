internal import APITypes
internal import Fleet
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Store

/// Lets a request through when its caller may do what it asks. Whatever is not granted is refused.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let authenticator: Authenticator
    let limiter: RateLimiter
    let store: any Store

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let rule = context.rule(for: request)
        if rule?.grant == .open { return try await next(request, context) }
        var context = context
        let caller = try await caller(of: request, grant: rule?.grant)
        context.caller = caller
        try limiter.admit(caller)
        guard context.endpointPath != nil else { return try await next(request, context) }
        switch caller {
        case .agent: return try await next(request, context)
        case .user(let user):
            let project = context.parameters.get("project")
            // A route without a rule is refused.
            let verdict = rule?.grant.verdict(role: user.role, projects: user.projects, project: project)
            guard verdict != .allowed else { return try await next(request, context) }
            try await record(rule, user, request, context)
            if verdict == .hidden {
                throw StoreError.notFound(kind: .project, name: project ?? "")
            }
            throw Problem(.forbidden, detail: Self.words(user, request))
        }
    }

    private func caller(of request: Request, grant: Grant?) async throws -> Caller {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer ") else {
            throw Problem(.unauthenticated, detail: "send the header Authorization: Bearer TOKEN")
        }
        let secret = String(header.dropFirst("Bearer ".count))
        let found = try await grant == .agent ? authenticator.agent(secret) : authenticator.user(secret)
        guard let found else {
            throw Problem(.unauthenticated, detail: "the token is not known, has expired or was revoked")
        }
        return found
    }

    /// A refused change is told to the log and to the audit log, a refused look to the log only.
    private func record(
        _ rule: RouteRule?, _ user: UserCaller, _ request: Request, _ context: APIContext
    ) async throws {
        context.logger.notice(
            "request refused",
            metadata: [
                "actor": "user/\(user.name)", "method": "\(request.method)", "path": "\(request.uri.path)",
            ])
        if case .read = rule?.grant { return }
        if request.method == .get { return }
        try await store.recordRefusal(
            of: context.endpointPath ?? request.uri.path, project: context.parameters.get("project"),
            context: WriteContext(
                actor: "user/\(user.name)", requestID: context.requestID,
                verb: request.method.rawValue.lowercased()))
    }

    private static func words(_ user: UserCaller, _ request: Request) -> String {
        let bound = user.projects.map { " for \($0.sorted().joined(separator: ", "))" } ?? ""
        return "\(user.name) has the role \(user.role.rawValue)\(bound), which may not "
            + "\(request.method) \(request.uri.path)"
    }
}
