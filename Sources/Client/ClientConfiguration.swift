public import Fleet

/// Where the controllers are and how to talk to them.
public struct ClientConfiguration: Sendable {
    /// In the order in which they are tried; never empty.
    public var servers: [ServerAddress]
    /// Bearer token; nil for the few paths that need none.
    public var token: String?
    /// PEM file with the certificates that are trusted; nil trusts those of the system.
    public var certificateFile: String?
    public var retry: RetryPolicy
    public var limits: ClientLimits

    public init(
        servers: [ServerAddress], token: String? = nil, certificateFile: String? = nil,
        retry: RetryPolicy = .interactive, limits: ClientLimits = .standard
    ) {
        self.servers = servers
        self.token = token
        self.certificateFile = certificateFile
        self.retry = retry
        self.limits = limits
    }
}

/// Bounds on what one client waits for and takes in.
public struct ClientLimits: Sendable, Equatable {
    /// Until a connection stands, TLS included.
    public var connect: Duration
    /// Until the head of an answer; a long-poll adds its own wait.
    public var answer: Duration
    /// Silence after which a connection counts as dead. Above the longest poll (20 s) and the keep-alive
    /// comments of a watch.
    public var silence: Duration
    /// Largest answer that is read whole, bytes: a page of 1,000 documents of 64 KiB.
    public var answerBytes: Int
    /// Connections to one controller; each parallel request needs one.
    public var connections: Int

    /// For people and agents: a controller that takes longer than this is down for them.
    public static let standard = ClientLimits(
        connect: .seconds(5), answer: .seconds(30), silence: .seconds(60), answerBytes: 64 << 20,
        connections: 8)

    public init(connect: Duration, answer: Duration, silence: Duration, answerBytes: Int, connections: Int) {
        self.connect = connect
        self.answer = answer
        self.silence = silence
        self.answerBytes = answerBytes
        self.connections = connections
    }
}

/// What a client takes from its surroundings, so that tests need neither time nor chance.
public struct ClientSeams: Sendable {
    /// Waits; throws `CancellationError` when the task is cancelled meanwhile.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// Uniform in 0..<1.
    public var random: @Sendable () -> Double
    /// For idempotency keys.
    public var ids: any IDSource

    public init(
        sleep: @escaping @Sendable (Duration) async throws -> Void, random: @escaping @Sendable () -> Double,
        ids: any IDSource
    ) {
        self.sleep = sleep
        self.random = random
        self.ids = ids
    }
}
