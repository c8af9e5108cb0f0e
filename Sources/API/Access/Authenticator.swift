internal import AgentProtocol
internal import Crypto
internal import Fleet
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
        var until: Duration
    }

    private let store: any Store
    private let uptime: @Sendable () -> Duration
    private let known = Mutex<[String: Entry]>([:])

    /// - Parameter uptime: a monotonic clock.
    init(store: any Store, uptime: @escaping @Sendable () -> Duration) {
        self.store = store
        self.uptime = uptime
    }

    static func hash(_ secret: String) -> String {
        SHA256.hash(data: Array(secret.utf8)).hexadecimal
    }

    func user(_ secret: String) async throws -> Caller? {
        let hash = Self.hash(secret)
        let now = uptime()
        if let entry = known.withLock({ $0[hash] }), entry.until > now {
            return .user(UserCaller(entry.token))
        }
        guard let token = try await store.token(secretHash: hash) else {
            known.withLock { $0[hash] = nil }
            return nil
        }
        known.withLock { known in
            if known.count >= Self.remembered { known.removeAll() }
            known[hash] = Entry(token: token, until: now + Self.believedFor)
        }
        return .user(UserCaller(token))
    }

    func agent(_ secret: String) async throws -> Caller? {
        try await store.session(credentialHash: Self.hash(secret)).map { .agent(AgentCaller(session: $0)) }
    }
}
