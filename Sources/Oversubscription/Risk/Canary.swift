/// The few hosts that try a bolder ratio before the others.
public struct Canary: Sendable, Hashable, Codable {
    /// At most so many of a scope's hosts.
    public static let largestPercent = 5
    /// Hosts and hours of a trial: a whole day, as load repeats by days.
    public static let hours = 24

    /// Ascending.
    public var hosts: [String]
    /// Seconds.
    public var startedAt: Int

    public init(hosts: [String], startedAt: Int) {
        self.hosts = hosts
        self.startedAt = startedAt
    }

    /// The hosts of a trial: the same for the same decision, others for the next one, so that no host always
    /// bears the risk.
    ///
    /// - Returns: nil where a single host is already more than the trial may take.
    public static func hosts(of scope: [String], decision: String) -> [String]? {
        let count = scope.count * largestPercent / 100
        guard count > 0 else { return nil }
        let ranked = Set(scope).map { (rank: hash(decision + "/" + $0), host: $0) }
        return ranked.sorted { ($0.rank, $0.host) < ($1.rank, $1.host) }.prefix(count).map(\.host).sorted()
    }

    public func isOver(at now: Int) -> Bool { now - startedAt >= Self.hours * 3600 }

    /// FNV-1a.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
