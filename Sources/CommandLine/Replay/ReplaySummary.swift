internal import Replay

/// What came of a replay.
public struct ReplaySummary: Sendable, Equatable, Codable {
    /// Id of the run: names and idempotency keys derive from it.
    public var run: String
    /// VMs.
    public var created: Int
    /// VMs.
    public var deleted: Int
    /// Steps that failed for good; those of one VM count once each.
    public var errors: Int
    /// Deletions left out because the VM was never made.
    public var skipped: Int
    /// Requests sent again after a broken connection or a controller that could not answer.
    public var retried: Int
    /// Time from request to answer with all retries, milliseconds.
    public var latencyP50Ms: Double
    /// As ``latencyP50Ms``, the 99th percentile.
    public var latencyP99Ms: Double
    /// Seconds that the replay took.
    public var seconds: Double
    /// Longest that a step went out after its time, seconds of fleet time.
    public var lagSeconds: Double
    /// VMs of the whole fleet at the last look; nil when nobody answered.
    public var running: Int?
    /// VMs of the whole fleet without a place at the last look.
    public var pending: Int?
    /// Whether it was stopped before its end.
    public var interrupted: Bool
    /// The first few errors in words.
    public var samples: [String]
}

/// Where a replay is, for a progress line.
public struct ReplayProgress: Sendable, Equatable {
    /// VMs of the schedule.
    public var total: Int
    /// VMs created so far.
    public var created: Int
    /// VMs deleted so far.
    public var deleted: Int
    /// Steps that failed for good.
    public var errors: Int
    /// VMs of the whole fleet that run.
    public var running: Int?
    /// VMs of the whole fleet that wait for a place.
    public var pending: Int?
    /// Seconds until the last creation is due; nil before the first step.
    public var remainingSeconds: Double?

    /// One line for people.
    public var line: String {
        var parts = ["created \(created)/\(total)", "deleted \(deleted)"]
        if let running, let pending { parts += ["running \(running)", "pending \(pending)"] }
        parts.append("errors \(errors)")
        if let remainingSeconds { parts.append("left \(DurationText.short(.seconds(remainingSeconds)))") }
        return parts.joined(separator: ", ")
    }
}

/// Counts what steps did.
struct ReplayTally {
    /// Errors kept in words: enough to see what is wrong.
    static let sampleLimit = 5

    private(set) var created = 0
    private(set) var deleted = 0
    private(set) var errors = 0
    private(set) var samples: [String] = []
    private var milliseconds: [Float] = []

    mutating func add(_ done: ReplayDriver.Done) {
        milliseconds.append(Float(done.latency.inMilliseconds))
        switch (done.failure, done.step.action) {
        case (.some(let failure), _):
            errors += 1
            if samples.count < Self.sampleLimit { samples.append("\(done.step.vm): \(failure)") }
        case (nil, .create): created += 1
        case (nil, .delete): deleted += 1
        }
    }

    /// The p50 and p99 by nearest rank, rounded to microseconds; zero without requests.
    var latencies: (p50: Double, p99: Double) {
        let sorted = milliseconds.sorted()
        guard !sorted.isEmpty else { return (0, 0) }
        func rank(_ percent: Int) -> Double {
            let value = sorted[(sorted.count * percent + 99) / 100 - 1]
            return (Double(value) * 1000).rounded() / 1000
        }
        return (rank(50), rank(99))
    }
}

extension Duration {
    fileprivate var inMilliseconds: Double {
        Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
    }
}
