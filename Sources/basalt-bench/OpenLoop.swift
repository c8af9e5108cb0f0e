import Synchronization

/// Requests that are sent when they are due, whether or not those before have been answered.
final class OpenLoop: Sendable {
    let perSecond: Int
    let seconds: Int
    private let windows: Int
    private let start = Mutex(ContinuousClock.now)

    init(perSecond: Int, seconds: Int, windows: Int) {
        self.perSecond = perSecond
        self.seconds = seconds
        self.windows = windows
    }

    var requests: Int { perSecond * seconds }

    /// Times count from here.
    func begin() { start.withLock { $0 = .now } }

    func due(_ number: Int) -> ContinuousClock.Instant {
        start.withLock { $0 } + .nanoseconds(1_000_000_000 / perSecond) * number
    }

    func window(_ number: Int) -> Int { number * windows / requests }

    /// Sends all and waits for all answers.
    func run(_ samples: LatencySamples, _ send: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<requests {
                try await Task.sleep(until: due(number), clock: .continuous)
                group.addTask {
                    try await send(number)
                    samples.add(self.due(number).duration(to: .now), window: self.window(number))
                }
            }
            try await group.waitForAll()
        }
    }
}
