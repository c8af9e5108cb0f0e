/// Plays the rounds of a policy forward from a state: when jobs start and end if none comes and steps take what
/// is predicted.
public struct TrainingForecast: Sendable, Hashable {
    public struct Outcome: Sendable, Hashable {
        /// When it first holds something; now for what holds something already. Nil when that is beyond what was
        /// looked at.
        public var startsAt: Double?
        public var endsAt: Double?
        /// What it starts as, or holds.
        public var grant: Grant?
        /// Reason of the first round; nil for what does not wait.
        public var wait: WaitReason?
        /// Place among the jobs in the order in which they start, from 1; nil for what does not wait.
        public var position: Int?
    }

    /// By the number of the job in the state.
    public private(set) var outcomes: [Outcome]
    /// What the first round does.
    public let first: RoundDecision

    /// - Parameters:
    ///   - restart: seconds from a change of shape to the next step.
    ///   - limit: rounds at most: what starts later has no time.
    ///   - job: whose start is all that is asked for; nil for all.
    public init(
        _ state: RoundState, policy: some TrainingPolicy, restart: Double, limit: Int = 512, job: Int? = nil
    ) {
        var play = Play(state, restart: restart)
        first = policy.round(state)
        var decision = first
        for wait in first.waits { play.note(wait) }
        for _ in 0..<max(limit, 1) {
            play.apply(decision)
            if let job, play.hasStarted(job) { break }
            guard play.advance() else { break }
            decision = policy.round(play.state)
        }
        outcomes = state.jobs.map { play.outcomes[$0.job.id] ?? Outcome() }
        let waiting = outcomes.indices.filter { state.jobs[$0].grant == nil }
        let order = waiting.sorted {
            let (lhs, rhs) = (outcomes[$0].startsAt ?? .infinity, outcomes[$1].startsAt ?? .infinity)
            return lhs != rhs ? lhs < rhs : state.jobs[$0].job.id < state.jobs[$1].job.id
        }
        for (place, index) in order.enumerated() { outcomes[index].position = place + 1 }
    }

    /// Jobs on their way.
    private struct Play {
        private(set) var state: RoundState
        private(set) var outcomes: [Int: Outcome] = [:]
        private let restart: Double
        /// Whether the last round took something away, for which another is due at once.
        private var isDisplaced = false
        /// Times of the day are no more exact than that.
        private static let leastSeconds = 1e-3

        init(_ state: RoundState, restart: Double) {
            self.state = state
            self.restart = restart
            for job in state.jobs {
                let isHeld = job.grant != nil
                outcomes[job.job.id] = Outcome(startsAt: isHeld ? state.now : nil, grant: job.grant)
            }
        }

        func hasStarted(_ id: Int) -> Bool { outcomes[id]?.startsAt != nil }

        mutating func note(_ wait: WaitReason) { outcomes[wait.job]?.wait = wait }

        mutating func apply(_ decision: RoundDecision) {
            var places: [Int: Int] = [:]
            for (place, job) in state.jobs.enumerated() { places[job.job.id] = place }
            isDisplaced = false
            for change in decision.changes {
                let held = places[change.job].flatMap { state.jobs[$0].grant }
                if let held { state.room.give(held) }
            }
            for change in decision.changes {
                guard let place = places[change.job] else { continue }
                if state.jobs[place].grant != nil { state.jobs[place].restarts += 1 }
                state.jobs[place].grant = change.to
                guard let grant = change.to else {
                    state.jobs[place].phase = .pending
                    state.jobs[place].pendingSince = state.now
                    isDisplaced = true
                    continue
                }
                state.room.take(grant)
                state.jobs[place].phase = .starting(until: state.now + restart)
                guard outcomes[change.job]?.startsAt == nil else { continue }
                outcomes[change.job]?.startsAt = state.now
                outcomes[change.job]?.grant = grant
            }
        }

        /// To the next start that is over or the next end; false when nothing is to come.
        mutating func advance() -> Bool {
            if isDisplaced {
                isDisplaced = false
                return true
            }
            var next = Double.infinity
            for job in state.jobs {
                guard let grant = job.grant else { continue }
                switch job.phase {
                case .starting(let until): next = min(next, until)
                case .running: next = min(next, state.now + job.remaining * grant.point.secondsPerStep)
                case .pending: continue
                }
            }
            guard next.isFinite else { return false }
            pass(max(0, next - state.now))
            return !state.jobs.isEmpty
        }

        private mutating func pass(_ seconds: Double) {
            state.now += seconds
            var left: [JobState] = []
            for var job in state.jobs {
                guard let grant = job.grant else {
                    left.append(job)
                    continue
                }
                job.heldSeconds += seconds
                job.attained += seconds * Double(grant.gpus)
                if case .running = job.phase { job.remaining -= seconds / grant.point.secondsPerStep }
                if case .starting(let until) = job.phase, until <= state.now {
                    job.phase = .running
                    job.checkpointAt = state.now
                }
                if case .running = job.phase, job.remaining * grant.point.secondsPerStep <= Self.leastSeconds
                {
                    state.room.give(grant)
                    outcomes[job.job.id]?.endsAt = state.now
                } else {
                    left.append(job)
                }
            }
            state.jobs = left
        }
    }
}
