internal import Foundation

/// Jobs change plan and resources together; <doc:HowTrainingIsScheduled> says how.
public struct RubickPolicy: TrainingPolicy, Hashable {
    public struct Settings: Sendable, Hashable, Codable {
        /// Share of a job's time that its changes of shape must leave for work; 0 lets all through.
        public var gate: Double
        /// Seconds from a change of shape to the next step.
        public var restart: Double
        /// Seconds after which a waiting job comes before all that came later.
        public var aging: Double
        /// Jobs that room is kept for at once.
        public var reservations: Int
        /// What a GPU weighs against time when a shape is chosen and others wait: time · GPUs^weight.
        public var busyWeight: Double
        /// The same when none waits.
        public var idleWeight: Double
        /// What GPUs weigh in the order of the queue.
        public var orderWeight: Double
        /// A change for speed must save this share of what is left.
        public var leastGain: Double

        public init(
            gate: Double = 0.97, restart: Double = 78, aging: Double = 21_600, reservations: Int = 4,
            busyWeight: Double = 0.5, idleWeight: Double = 0.3, orderWeight: Double = 0.5,
            leastGain: Double = 0.05
        ) {
            self.gate = gate
            self.restart = restart
            self.aging = aging
            self.reservations = reservations
            self.busyWeight = busyWeight
            self.idleWeight = idleWeight
            self.orderWeight = orderWeight
            self.leastGain = leastGain
        }
    }

    public var settings: Settings

    public init(_ settings: Settings = Settings()) { self.settings = settings }

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        var admission = Admission(settings, work)
        for index in queue(work) { admission.admit(index, &work) }
        expand(&work, admission.reservations)
        return work.decision
    }

    /// Starving jobs by age, then guaranteed ones, then tenants by what they used, then the least work.
    private func queue(_ work: RoundWork) -> [Int] {
        let now = work.state.now
        let shares = work.state.tenants.map(\.share)
        let keys = work.pending.map { index in
            let state = work.jobs[index]
            let isStarving = now - state.pendingSince > settings.aging
            let share = shares.indices.contains(state.job.tenant) ? shares[state.job.tenant] : 0
            return (
                index: index, class: state.job.isGuaranteed ? 0 : 1, isStarving: isStarving, share: share,
                size: isStarving ? state.pendingSince : size(state)
            )
        }
        return keys.sorted { lhs, rhs in
            if lhs.class != rhs.class { return lhs.class < rhs.class }
            if lhs.isStarving != rhs.isStarving { return lhs.isStarving }
            if lhs.share != rhs.share { return lhs.share < rhs.share }
            if lhs.size != rhs.size { return lhs.size < rhs.size }
            return work.jobs[lhs.index].job.id < work.jobs[rhs.index].job.id
        }.map(\.index)
    }

    private func size(_ state: JobState) -> Double {
        state.job.options.map {
            state.seconds($0, restart: settings.restart) * pow(Double($0.gpus), settings.orderWeight)
        }.min() ?? .infinity
    }
}
