internal import AgentProtocol
internal import APITypes
internal import Crypto
internal import Fleet
internal import Hummingbird
internal import Store
internal import Synchronization

/// Finds out who asks from the bearer token. Secrets are looked up by their SHA-256; they are never stored.
final class Authenticator: Sendable {
    /// How long a looked-up token is believed: a revoked one works at most this much longer.
    static let believedFor = Duration.seconds(5)
    /// Tokens remembered at once.
    static let remembered = 1024

    private struct Entry {
        var token: AccessToken
        var until: ContinuousClock.Instant
    }

    private let store: any Store
    private let clock = ContinuousClock()
    private let known = Mutex<[String: Entry]>([:])

    init(store: any Store) { self.store = store }

    static func hash(_ secret: String) -> String {
        SHA256.hash(data: Array(secret.utf8)).hexadecimal
    }

    func user(_ secret: String) async throws -> Caller? {
        let hash = Self.hash(secret)
        let now = clock.now
        if let entry = known.withLock({ $0[hash] }), entry.until > now {
            return .user(name: entry.token.name, role: entry.token.role)
        }
        guard let token = try await store.token(secretHash: hash) else {
            known.withLock { $0[hash] = nil }
            return nil
        }
        known.withLock { known in
            if known.count >= Self.remembered { known.removeAll() }
            known[hash] = Entry(token: token, until: now.advanced(by: Self.believedFor))
        }
        return .user(name: token.name, role: token.role)
    }

    func agent(_ secret: String) async throws -> Caller? {
        try await store.session(credentialHash: Self.hash(secret)).map { .agent(AgentCaller(session: $0)) }
    }
}

/// Lets a request through when its caller may do what it asks. Whatever is not granted is refused.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = APIContext

    let authenticator: Authenticator

    @concurrent
    func handle(
        _ request: Request, context: APIContext,
        next: @concurrent (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        if Access.isOpen(path) { return try await next(request, context) }
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer ") else {
            throw Problem(.unauthenticated, detail: "send the header Authorization: Bearer TOKEN")
        }
        let secret = String(header.dropFirst("Bearer ".count))
        let forAgents = path.hasPrefix("/v1/agent/")
        let found = try await forAgents ? authenticator.agent(secret) : authenticator.user(secret)
        guard let caller = found else {
            throw Problem(.unauthenticated, detail: "the token is not known, has expired or was revoked")
        }
        if case .user(let name, let role) = caller, !Access.allows(role, method: request.method, path: path) {
            throw Problem(
                .forbidden,
                detail: "\(name) has the role \(role.rawValue), which may not \(request.method) \(path)")
        }
        var context = context
        context.caller = caller
        return try await next(request, context)
    }
}
