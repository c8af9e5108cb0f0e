import TrainingScheduling

/// Runs jobs on nodes that are not there: steps take what was measured, and a policy decides in rounds.
///
/// Rounds are held when a job comes, ends, has started or lost what it held, and at fixed times between. All
/// starts cost the same time. What a change frees is free at once: the start of who takes it lasts longer
/// than the stop.
struct TrainingSimulation {
    struct Settings: Sendable, Hashable {
        /// Seconds from a grant to the first step.
        var restart = 78.0
        /// Seconds between rounds without an event; nil for policies to which time alone is nothing new.
        var roundSeconds: Double? = 60
        /// Seconds between the times at which a job's state is written.
        var checkpointSeconds = 1800.0
        /// In the order of time.
        var losses: [NodeLoss] = []
    }

    /// A node that is lost for good.
    struct NodeLoss: Sendable, Hashable {
        var at: Double
        var node: Int
    }

    /// Rounds after which a simulation is taken for one that does not end.
    private static let roundLimit = 2_000_000
    private static let retrySeconds = 1.0
    /// Steps below this are rounding.
    private static let leastSteps = 1e-9

    private let settings: Settings
    private let policy: any TrainingPolicy
    private var arrivals: ArraySlice<TrainingJob>
    private var losses: ArraySlice<NodeLoss>
    private var room: FreeRoom
    private var tenants: [Tenant]
    private var active: [JobState] = []
    private var now = 0.0
    private var lastRound = 0.0
    /// When jobs that lost what they held are looked at again.
    private var retryAt: Double?
    private var run = TrainingRun()

    init(
        jobs: [TrainingJob], nodes: [TrainingNode], tenants: [Tenant] = [], policy: any TrainingPolicy,
        settings: Settings = Settings()
    ) {
        self.settings = settings
        self.policy = policy
        self.tenants = tenants
        room = FreeRoom(nodes)
        losses = settings.losses[...]
        arrivals =
            jobs.sorted {
                $0.submittedAt != $1.submittedAt ? $0.submittedAt < $1.submittedAt : $0.id < $1.id
            }[...]
    }

    /// - Parameters:
    ///   - timings: of the rounds are added here; nil measures nothing.
    ///   - check: sees every round.
    mutating func finish(
        clock: some Clock<Duration>, timings: inout DecisionTimings?,
        check: ((RoundState, RoundDecision) -> Void)? = nil
    ) -> TrainingRun {
        now = arrivals.first?.submittedAt ?? 0
        run.start = now
        var rounds = 0
        while let next = nextTime, rounds < Self.roundLimit {
            advance(to: next)
            end()
            begin()
            guard !active.isEmpty else { continue }
            let state = RoundState(now: now, room: room, jobs: active, tenants: tenants)
            let before = clock.now
            let decision = policy.round(state)
            timings?.add(before.duration(to: clock.now))
            check?(state, decision)
            apply(decision)
            lastRound = now
            retryAt = decision.changes.contains { $0.to == nil } ? now + Self.retrySeconds : nil
            rounds += 1
        }
        run.end = run.outcomes.map(\.endedAt).max() ?? now
        run.unfinished = active.map(\.job.id) + arrivals.map(\.id)
        return run
    }

    /// The next time at which anything is new; nil at the end, and when nothing can come of waiting.
    private var nextTime: Double? {
        var next = Double.infinity
        if let arrival = arrivals.first { next = min(next, arrival.submittedAt) }
        if let loss = losses.first, !active.isEmpty || !arrivals.isEmpty { next = min(next, loss.at) }
        var isRunning = false
        for state in active {
            guard let grant = state.grant else { continue }
            isRunning = true
            switch state.phase {
            case .starting(let until): next = min(next, until)
            case .running: next = min(next, now + state.remaining * grant.point.secondsPerStep)
            case .pending: continue
            }
        }
        if let retryAt { next = min(next, retryAt) }
        if isRunning, let step = settings.roundSeconds { next = min(next, lastRound + step) }
        return next.isFinite ? max(next, now) : nil
    }

    private mutating func advance(to time: Double) {
        let step = time - now
        defer { now = time }
        guard step > 0 else { return }
        for index in active.indices {
            guard let grant = active[index].grant else { continue }
            let gpuSeconds = step * Double(grant.gpus)
            active[index].heldSeconds += step
            active[index].attained += gpuSeconds
            run.gpuSeconds += gpuSeconds
            if tenants.indices.contains(active[index].job.tenant) {
                tenants[active[index].job.tenant].decayedUsage += gpuSeconds
            }
            guard case .running = active[index].phase else { continue }
            active[index].remaining -= step / grant.point.secondsPerStep
            if let written = active[index].checkpointAt, time - written >= settings.checkpointSeconds {
                let whole = ((time - written) / settings.checkpointSeconds).rounded(.down)
                active[index].checkpointAt = written + whole * settings.checkpointSeconds
            }
        }
        for index in tenants.indices { tenants[index].use(gpuSeconds: 0, during: step) }
    }

    /// Ends jobs without steps left, and starts of whose time has come.
    private mutating func end() {
        var kept: [JobState] = []
        for var state in active {
            if case .starting(let until) = state.phase, until <= now {
                state.phase = .running
                state.checkpointAt = now
            }
            let isDone =
                state.grant.map { state.remaining * $0.point.secondsPerStep <= Self.leastSteps } ?? false
            if isDone, case .running = state.phase, let grant = state.grant {
                room.give(grant)
                run.close(state, at: now)
                run.outcomes.append(TrainingRun.Outcome(state, endedAt: now))
            } else {
                kept.append(state)
            }
        }
        active = kept
    }

    private mutating func begin() {
        while let job = arrivals.first, job.submittedAt <= now {
            let state = JobState(job)
            arrivals.removeFirst()
            let index = active.firstIndex { $0.job.id > job.id } ?? active.count
            active.insert(state, at: index)
        }
        while let loss = losses.first, loss.at <= now {
            losses.removeFirst()
            room.setUp(loss.node, false)
        }
    }

    /// Everything that changes is given back before anything is taken: shapes move onto each other's nodes.
    private mutating func apply(_ decision: RoundDecision) {
        let places = decision.changes.map { change in active.firstIndex { $0.job.id == change.job } }
        for case .some(let index) in places {
            run.close(active[index], at: now)
            if let held = active[index].grant { room.give(held) }
        }
        for (change, place) in zip(decision.changes, places) {
            guard let place else { continue }
            reshape(place, change)
        }
    }

    private mutating func reshape(_ index: Int, _ change: ShapeChange) {
        var state = active[index]
        if change.cause == .nodeLost, let grant = state.grant, let written = state.checkpointAt {
            // Steps since the state was last written are lost with the node.
            state.remaining = min(
                state.job.steps, state.remaining + max(0, now - written) / grant.point.secondsPerStep)
        }
        if let grant = change.to {
            room.take(grant)
            state.phase = .starting(until: now + settings.restart)
            if state.firstStart == nil { state.firstStart = now } else { state.restarts += 1 }
            run.open(state.job.id, grant, change.cause, at: now)
            run.judge(state.job, grant)
        } else {
            state.phase = .pending
            state.pendingSince = now
            state.checkpointAt = nil
            run.evictions += 1
        }
        state.grant = change.to
        active[index] = state
    }
}
