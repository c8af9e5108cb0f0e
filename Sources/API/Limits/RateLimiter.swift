internal import APITypes
internal import Fleet
internal import Store
internal import Synchronization

/// Limits on requests and connections, by class of caller.
public struct TrafficLimits: Sendable, Hashable {
    /// Requests of one user token: ten times the 200 creations a second that a batch of VMs takes.
    public var token = RateLimit(perSecond: 2000, burst: 4000)
    /// Requests of one agent session: it polls and reports once a second and repeats after errors.
    public var agentSession = RateLimit(perSecond: 100, burst: 500)
    /// Requests of one address, authenticated or not: many tokens and sessions may share it.
    public var address = RateLimit(perSecond: 10_000, burst: 20_000)
    /// Connections at once: each watch holds one; below the usual limit on open files.
    public var connections = 10_000

    public init() {}

    /// Callers remembered per class: about 10 MB.
    static let remembered = 65_536

    /// What is wrong with the limits; nil when they can be followed.
    public var defect: String? {
        let named = [("token", token), ("agent session", agentSession), ("address", address)]
        for (name, limit) in named { if let defect = limit.defect { return "\(name): \(defect)" } }
        return connections >= 1 ? nil : "connections: must be at least 1"
    }
}

/// Counts requests against their limits.
final class RateLimiter: Sendable {
    private struct Tables {
        var tokens: BucketTable
        var sessions: BucketTable
        var addresses: BucketTable
    }

    private let uptime: @Sendable () -> Duration
    private let tables: Mutex<Tables>

    /// - Parameter uptime: a monotonic clock.
    init(_ limits: TrafficLimits, uptime: @escaping @Sendable () -> Duration) {
        self.uptime = uptime
        tables = Mutex(
            Tables(
                tokens: BucketTable(limits.token, capacity: TrafficLimits.remembered),
                sessions: BucketTable(limits.agentSession, capacity: TrafficLimits.remembered),
                addresses: BucketTable(limits.address, capacity: TrafficLimits.remembered)))
    }

    /// - Throws: `RateExceeded`.
    func admit(address: String) throws {
        let now = uptime()
        try check(tables.withLock { $0.addresses.take(address, now: now) }, "this address")
    }

    /// - Throws: `RateExceeded`.
    func admit(_ caller: Caller) throws {
        let now = uptime()
        let wait = tables.withLock { tables in
            switch caller {
            case .user(let user): tables.tokens.take(user.name, now: now)
            case .agent(let agent): tables.sessions.take(agent.session.id.description, now: now)
            }
        }
        try check(wait, caller.actor)
    }

    private func check(_ wait: Duration?, _ who: String) throws {
        if let wait { throw RateExceeded(who: who, wait: wait) }
    }
}

/// A caller asked more often than its limit allows.
struct RateExceeded: Error {
    var who: String
    var wait: Duration

    /// Whole seconds after which a repetition has a chance; at least 1.
    var retryAfterSeconds: Int { max(1, Int((wait / .seconds(1)).rounded(.up))) }

    var problem: Problem {
        Problem(.rateLimited, detail: "\(who) sends more requests than its limit; see Retry-After")
    }
}
