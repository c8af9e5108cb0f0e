/// What a router knows of a replica from its own requests.
struct ReplicaHealth: Equatable {
    /// After one failure; each further one in a row doubles it.
    static let shortestRest = Duration.milliseconds(500)
    /// A replica that came back gets requests again within this time.
    static let longestRest = Duration.seconds(15)

    /// What a look at it found last; nil before the first.
    private(set) var isReady: Bool?
    /// Failures in a row.
    private(set) var failures = 0
    /// Until when it gets requests only where there is no other; by the router's clock.
    private(set) var restsUntil = Duration.zero

    func rests(at now: Duration) -> Bool { isReady == false || failures > 0 && now < restsUntil }

    mutating func succeeded() {
        failures = 0
        restsUntil = .zero
    }

    /// - Returns: whether that is news.
    mutating func found(isReady: Bool) -> Bool {
        defer { self.isReady = isReady }
        return self.isReady != isReady
    }

    mutating func failed(at now: Duration) {
        // Requests that were under way when it died fail together: they are one failure.
        guard !rests(at: now) else { return }
        let rest = Self.shortestRest * (1 << min(failures, 10))
        failures += 1
        restsUntil = now + min(rest, Self.longestRest)
    }
}
