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
    /// As it is in the store; nil before it was read.
    var kept: TrainingMemory?
    var isRestored = false

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

extension TrainingKeeping {
    /// Takes up what an earlier process of the cell knew. What was used then is worth less by now.
    mutating func restore(_ memory: TrainingMemory?, now: Timestamp) {
        isRestored = true
        guard let memory else { return }
        kept = memory
        let away = max(0, now.since(memory.usedAt).inSeconds)
        for use in memory.used {
            var tenant = Tenant(name: use.project, quotaGPUs: 0, decayedUsage: use.deviceSeconds)
            tenant.use(gpuSeconds: 0, during: away)
            used[use.project] = tenant.decayedUsage
        }
        speeds.restore(memory)
    }

    /// What to keep; nil where that is not worth a write yet.
    ///
    /// - Parameter atMostEvery: between two writes of use alone; what was learnt is kept at once.
    func memory(now: Timestamp, atMostEvery: Duration) -> TrainingMemory? {
        // A second of one device is nothing anybody would miss.
        let use = used.filter { $0.value >= 1 }.sorted { $0.key < $1.key }.prefix(TrainingMemory.limit).map {
            TrainingMemory.Use(project: $0.key, deviceSeconds: $0.value)
        }
        let memory = TrainingMemory(
            used: use, usedAt: now, failures: speeds.meter.failures, measurements: speeds.meter.measurements)
        guard let kept else { return use.isEmpty && memory.isEmpty ? nil : memory }
        if memory.failures != kept.failures || memory.measurements != kept.measurements { return memory }
        guard now.since(kept.usedAt) >= atMostEvery, memory.used != kept.used else { return nil }
        return memory
    }
}

extension TrainingMemory {
    fileprivate var isEmpty: Bool { failures.isEmpty && measurements.isEmpty }
}

extension TrainingRules {
    /// The scheduler that replays and the planner use as well.
    var scheduler: any TrainingPolicy {
        switch policy ?? .rubick {
        case .rubick, .rubickPlans, .rubickResources:
            var settings = RubickPolicy.Settings(restart: restart)
            if let gatePerMille { settings.gate = Double(gatePerMille) / 1000 }
            if let agingSeconds { settings.aging = Double(agingSeconds) }
            return RubickPolicy(settings)
        case .fifo: return QueuePolicy(.submission, .strict, restart: restart)
        case .fifoBackfill: return QueuePolicy(.submission, .greedy, restart: restart)
        case .easy: return QueuePolicy(.submission, .reserved, restart: restart)
        case .conservative: return ConservativePolicy(restart: restart)
        case .sjf: return QueuePolicy(.shortest, .greedy, restart: restart)
        case .tiresias: return TiresiasPolicy()
        case .synergy: return SynergyPolicy()
        case .sia: return SiaPolicy(restart: restart)
        case .gavel: return GavelPolicy()
        case .antman: return AntManPolicy()
        }
    }

    /// Shapes that it may give a job.
    var freedom: ShapeFreedom {
        switch policy ?? .rubick {
        case .rubick: .any
        case .rubickPlans: .submittedGPUs
        case .rubickResources, .sia, .antman: .submittedStrategy
        case .fifo, .fifoBackfill, .easy, .conservative, .sjf, .tiresias, .synergy, .gavel: .none
        }
    }
}
