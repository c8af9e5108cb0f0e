/// How often and how fast a failed request is repeated.
public struct RetryPolicy: Sendable, Equatable {
    /// Times that every server is tried before the call fails.
    public var rounds: Int
    /// Longest pause after the first round; doubles with every round.
    public var base: Duration
    /// Longest pause between rounds, and the longest `Retry-After` that is waited for.
    public var cap: Duration

    /// For a person at a terminal: gives up after about 3 seconds.
    public static let interactive = RetryPolicy(rounds: 5, base: .milliseconds(200), cap: .seconds(10))
    /// For an agent, which has a loop of its own: every server once.
    public static let singleRound = RetryPolicy(rounds: 1, base: .zero, cap: .zero)
    /// For a driver that outlives restarts and failovers of all controllers, about two minutes.
    public static let persistent = RetryPolicy(rounds: 64, base: .milliseconds(100), cap: .seconds(2))

    public init(rounds: Int, base: Duration, cap: Duration) {
        self.rounds = rounds
        self.base = base
        self.cap = cap
    }
}

/// How one attempt failed, as far as repeating it goes.
enum AttemptFailure: Sendable, Equatable {
    /// No connection: the server certainly did nothing.
    case notSent
    /// The connection broke after the request left: the server may have acted.
    case broken
    /// The server declined for now; `retryAfter` is its wish.
    case declined(retryAfter: Duration?)
    /// Repeating is useless.
    case final
}

/// Decides what follows a failed attempt. Pure: the caller sleeps and switches servers.
struct RetryMachine: Sendable, Equatable {
    enum Decision: Sendable, Equatable {
        /// At the next server, at once.
        case tryNext
        /// All servers failed; pause, then begin again.
        case pause(Duration)
        case giveUp
    }

    private let policy: RetryPolicy
    private let servers: Int
    private let repeatable: Bool
    private var round = 0
    private var failedInRound = 0
    /// Shortest pause that a server of this round asked for.
    private var asked: Duration?

    /// - Parameter repeatable: whether the request may be sent again after the server may have acted on it.
    init(policy: RetryPolicy, servers: Int, repeatable: Bool) {
        self.policy = policy
        self.servers = servers
        self.repeatable = repeatable
    }

    /// - Parameter random: uniform in 0..<1.
    mutating func next(after failure: AttemptFailure, random: Double) -> Decision {
        switch failure {
        case .final: return .giveUp
        case .broken where !repeatable: return .giveUp
        case .declined where !repeatable: return .giveUp
        case .declined(let retryAfter):
            if let retryAfter { asked = min(asked ?? retryAfter, retryAfter) }
        case .notSent, .broken: break
        }
        failedInRound += 1
        guard failedInRound >= servers else { return .tryNext }
        return endRound(random: random)
    }

    private mutating func endRound(random: Double) -> Decision {
        round += 1
        let wish = asked
        failedInRound = 0
        asked = nil
        guard round < policy.rounds else { return .giveUp }
        if let wish {
            return wish <= policy.cap ? .pause(wish) : .giveUp
        }
        let doublings = min(round - 1, 20)
        let ceiling = min(policy.cap, policy.base * (1 << doublings))
        // Full jitter below the ceiling spreads clients that failed together; half is kept so that a pause
        // is one.
        return .pause(ceiling * (0.5 + random / 2))
    }
}
