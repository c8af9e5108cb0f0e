internal import Fleet
internal import TrainingScheduling

/// What the training engine of a cell remembers between its rounds.
struct TrainingKeeping {
    var speeds = TrainingSpeeds()
    var roundAt: Timestamp?
    /// Capacity and workloads as of the last round.
    var seen: Version?
    /// Seconds of devices that projects held, older ones worth less.
    var used: [String: Double] = [:]
    var progressAt: Timestamp?

    /// Whether something is to be done though nothing has changed.
    func isDue(_ limits: CellLimits, now: Timestamp) -> Bool {
        (roundAt.map { now.since($0) >= limits.trainEvery } ?? true)
            || (progressAt.map { now.since($0) >= limits.progressEvery } ?? true)
    }

    struct Version: Equatable {
        var capacity: Int
        var workloads: Int
    }

    /// Projects of the jobs as tenants, in order of their names.
    ///
    /// - Parameter quotas: devices that a project may hold; absent is unbounded.
    func tenants(_ projects: Set<String>, quotas: [String: Int]) -> (list: [Tenant], places: [String: Int]) {
        let names = projects.sorted()
        let list = names.map {
            Tenant(
                name: $0, quotaGPUs: quotas[$0] ?? Self.unbounded, decayedUsage: used[$0] ?? 0)
        }
        return (list, Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) }))
    }

    /// More devices than there are.
    private static let unbounded = 1 << 40

    /// Adds what jobs held since the last round.
    mutating func use(_ held: [String: Int], now: Timestamp) {
        guard let roundAt else { return }
        let seconds = max(0, now.since(roundAt).inSeconds)
        for project in Set(used.keys).union(held.keys) {
            var tenant = Tenant(name: project, quotaGPUs: 0, decayedUsage: used[project] ?? 0)
            tenant.use(gpuSeconds: Double(held[project] ?? 0) * seconds, during: seconds)
            used[project] = tenant.decayedUsage
        }
    }
}

extension TrainingRules {
    /// The scheduler that replays and the planner use as well.
    var scheduler: any TrainingPolicy {
        switch policy ?? .rubick {
        case .rubick:
            var settings = RubickPolicy.Settings(restart: restart)
            if let gatePerMille { settings.gate = Double(gatePerMille) / 1000 }
            if let agingSeconds { settings.aging = Double(agingSeconds) }
            return RubickPolicy(settings)
        case .fifo: return QueuePolicy(.submission, .strict, restart: restart)
        case .fifoBackfill: return QueuePolicy(.submission, .greedy, restart: restart)
        case .easy: return QueuePolicy(.submission, .reserved, restart: restart)
        case .sjf: return QueuePolicy(.shortest, .greedy, restart: restart)
        }
    }
}
