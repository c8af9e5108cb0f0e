/// Least attained service first, in three classes, each in the order of submission (Tiresias, NSDI 2019).
public struct TiresiasPolicy: TrainingPolicy, Hashable {
    /// GPU-seconds at which a job leaves a class.
    public var limits: [Double]
    /// A job that waited so many times longer than it ran comes first again; 0 never.
    public var promotion: Double

    public init(limits: [Double] = [3250, 7200], promotion: Double = 8) {
        self.limits = limits
        self.promotion = promotion
    }

    public func round(_ state: RoundState) -> RoundDecision {
        var work = RoundWork(state)
        let keys = work.jobs.indices.map { ($0, rank(work.jobs[$0], now: state.now)) }
        work.rotate(
            keys.sorted { lhs, rhs in
                if lhs.1 != rhs.1 { return lhs.1 < rhs.1 }
                let (one, other) = (work.jobs[lhs.0].job, work.jobs[rhs.0].job)
                return one.submittedAt != other.submittedAt
                    ? one.submittedAt < other.submittedAt : one.id < other.id
            }.map(\.0))
        return work.decision
    }

    private func rank(_ state: JobState, now: Double) -> Int {
        if promotion > 0, state.grant == nil, state.heldSeconds > 0,
            now - state.pendingSince >= promotion * state.heldSeconds
        {
            return 0
        }
        return limits.firstIndex { state.attained < $0 } ?? limits.count
    }
}
